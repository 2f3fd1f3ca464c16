// Show and hide what is typed into a password field. The button is there but hidden until this module has run.

function bind(button) {
  const input = document.getElementById(button.dataset.reveal);
  if (!input) return;
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // A password manager and the browser's own "save password" only look at type=password.
  input.form?.addEventListener("submit", () => show(false));
}

document.querySelectorAll("button[data-reveal]").forEach(bind);
