// Copy the text of an element to the clipboard. Only offered where the browser allows it (https or localhost).

const SHOWN_MS = 2000;

function bind(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-label]");
  if (!source || !label) return;
  const usual = label.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
    } catch {
      getSelection()?.selectAllChildren(source);
      return;
    }
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = usual; }, SHOWN_MS);
  });
}

if (navigator.clipboard) document.querySelectorAll("button[data-copy]").forEach(bind);
