// Ostiary, docs/several-sites.md
(() => {
  const ours = "/.ostiary/", fetched = fetch.bind(window);
  let inside, host;
  const make = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);

  function show() {
    if (host) return;
    host = make("div");
    const root = host.attachShadow({ mode: "open" }), box = make("div"), sheet = new CSSStyleSheet();
    sheet.replaceSync(`
div { position: fixed; inset: auto 1rem 1rem; z-index: 2147483647; max-width: 24rem; margin: auto; padding: .5rem 1rem;
font: 1rem/1.5 system-ui; color-scheme: light dark; color: CanvasText; background: Canvas; border: 1px solid }
a, button { display: inline-block; padding: .5rem; font: inherit; color: LinkText; background: none; border: 0; text-decoration: underline }`);
    root.adoptedStyleSheets = [sheet];
    box.role = "status";
    root.append(box);
    document.body.append(host);
    const href = ours + "sign-in?next=" + encodeURIComponent(location.pathname + location.search);
    const link = make("a", "Sign in (new tab)", { href, target: "_blank", rel: "noopener" });
    // Only what comes into a box later is read out.
    setTimeout(() => box.append("Your session ended. ", link, make("button", "Later", { onclick: hide })), 50);
  }

  function hide() {
    host?.remove();
    host = null;
  }

  async function look(sure) {
    const { status } = await fetched(ours + "session", { cache: "no-store" });
    if (status === 204) hide(inside = true);
    else if (status === 401 && (inside || sure)) show();
  }

  async function read(answer) {
    if (answer.status === 401 && new URL(answer.url).origin === location.origin
      && (await answer.clone().json()).code === "unauthenticated") await look(true);
  }

  const quiet = () => {};
  window.fetch = (...what) => fetched(...what).then((answer) => (read(answer).catch(quiet), answer));
  document.addEventListener("visibilitychange", () => document.hidden || look().catch(quiet));
  addEventListener("pageshow", () => look().catch(quiet));
})();
