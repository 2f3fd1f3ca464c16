"""A small shop on a host that does not see our cookie, behind a real proxy with the shipped configuration."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from tests.system.proxied import free_port, program
from tests.system.wirings import Wiring

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

NAME = "shop.far.test"
# As strict as a page can be: nothing inline, no way around Trusted Types.
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>The Shop</title><link rel="icon" href="data:,"><script src="/.ostiary/session.js" defer></script>
<script src="/shop.js" defer></script><main><h1>The Shop</h1>
<p>Read as {who}.</p><label>Order <input id="order"></label>
<button id="stock">Stock</button> <button id="old">Old</button> <output id="said">nothing asked yet</output></main>"""
SCRIPT = """const say = (status, text) => { document.getElementById("said").textContent = status + " " + text.length; };
document.getElementById("stock").addEventListener("click", async () => {
  const answer = await fetch("/api/stock");
  say(answer.status, await answer.text());
});
document.getElementById("old").addEventListener("click", () => {
  const asked = new XMLHttpRequest();
  asked.open("POST", "/api/stock");
  asked.onload = () => say(asked.status, asked.responseText);
  asked.send("ten of each");
});"""


@dataclass
class Shop:
    """Where it is, and which cookies and names reached it."""

    url: str
    port: int
    cookies: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def shop(kind: str, public_url: str) -> AsyncIterator[Shop]:
    """The shop behind a proxy of this kind that asks the gate of `public_url`."""
    port = free_port()
    open_ = Shop(f"http://{NAME}:{port}", port)

    async def answer(request: web.Request) -> web.Response:
        open_.cookies.append(request.headers.get("Cookie", ""))
        if request.path == "/shop.js":
            return web.Response(text=SCRIPT, content_type="text/javascript")
        if request.path.startswith("/api/"):
            return web.json_response({"stock": 7})
        who = request.headers.get("Remote-Email") or "nobody"
        headers = {"Content-Security-Policy": CSP, "Set-Cookie": "basket=3"}
        return web.Response(text=PAGE.format(who=who), content_type="text/html", headers=headers)

    async with listening(answer) as app:
        with tempfile.TemporaryDirectory(prefix="ostiary-shop-") as folder:
            auth = urlsplit(public_url).port or 80
            wiring = Wiring(Path(folder), port, app, auth, name=NAME)
            async with program(kind, wiring):
                yield open_


@contextlib.asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[int]:
    """An app that answers every address so; its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
