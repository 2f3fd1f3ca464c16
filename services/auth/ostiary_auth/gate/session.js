// Ostiary
(() => {
  const ours = "/.ostiary/", type = "Content-Type", fetched = fetch.bind(window);
  const make = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);
  let inside, host;

  function show() {
    host = make("div");
    const root = host.attachShadow({ mode: "open" }), box = make("div"), sheet = new CSSStyleSheet();
    sheet.replaceSync(`
div { position: fixed; inset: auto 1rem 1rem; width: fit-content; margin: auto; padding: .5rem 1rem; z-index: 2147483647;
font: 1rem/1.5 system-ui; color-scheme: light dark; color: CanvasText; background: Canvas; border: 1px solid; border-radius: 8px }
a, button { display: inline-block; padding: .25rem .5rem; font: inherit }`);
    root.adoptedStyleSheets = [sheet];
    box.role = "status";
    root.append(box);
    document.body.append(host);
    const href = ours + "sign-in?next=" + encodeURIComponent(location.pathname + location.search);
    // Only what comes in later is read out.
    setTimeout(() => box.append("Your session ended. ", make("a", "Sign in (new tab)", { href, target: "_blank" }),
      " ", make("button", "Later", { onclick: hide })), 50);
  }

  const hide = () => host = host?.remove();

  const look = (sure) => fetched(ours + "session", { cache: "no-store" }).then(({ status }) => {
    if (status === 204) hide(inside = 1);
    else if (status === 401 && (inside || sure) && !host) show();
  }, () => {});
  const read = ({ status }, url, kind) =>
    status === 401 && url.startsWith(location.origin) && /problem/.test(kind) && look(1);

  window.fetch = (...what) => fetched(...what).then((it) => (read(it, it.url, it.headers.get(type)), it));
  const asks = XMLHttpRequest.prototype, { send } = asks;
  asks.send = function (body) {
    this.addEventListener("load", () => read(this, this.responseURL, this.getResponseHeader(type)));
    send.call(this, body);
  };
  document.addEventListener("visibilitychange", () => document.hidden || look());
  addEventListener("pageshow", () => look());
})();
