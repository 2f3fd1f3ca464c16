"""A small newspaper behind a real nginx and a real Caddy, both with the shipped configuration."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from tests.system.proxied import Backend, proxy

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The Gazette</title>
<link rel="icon" href="data:,"><h1>The Gazette</h1><p>{text}</p><p>Read as {who}.</p>"""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The addresses of the one site."""

    nginx: str
    caddy: str


async def _page(request: web.Request) -> web.Response:
    text = "This is the editors' desk." if request.path.startswith("/editor/") else "This is the front page."
    who = request.headers.get("Remote-Email") or "nobody"
    return web.Response(text=PAGE.format(text=text, who=who), content_type="text/html")


@contextlib.asynccontextmanager
async def both(public_url: str) -> AsyncIterator[Proxies]:
    """The newspaper, and both proxies in front of it, asking the gate of `public_url`."""
    app = web.Application()
    app.router.add_get("/{path:.*}", _page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    behind = Backend(port=runner.addresses[0][1])
    gate = urlsplit(public_url).port or 80
    try:
        async with proxy("nginx", behind, gate) as nginx, proxy("caddy", behind, gate) as caddy:
            yield Proxies(f"http://{nginx.host}", f"http://{caddy.host}")
    finally:
        await runner.cleanup()
