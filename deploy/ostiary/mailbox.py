"""The mailbox of `up`: every mail that was sent, as pages and as JSON. For trying things out on one machine only.

It answers only to local names: a hostile page that points its own name at 127.0.0.1 must not read anybody's mail.
"""

import asyncio
import re
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from quart import Quart, Response, abort, redirect, render_template, request, send_from_directory

from ostiary.mails import AFTER_A_LINK, LINK, Mailbox
from ostiary_shared import clock, theme

HERE = Path(__file__).resolve().parent
LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# A mail's own document: no script, no form, nothing loaded from elsewhere; its links open in a new tab.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def create_mailbox(mailbox: Mailbox, public_url: str) -> Quart:
    """The app on the mail port; `public_url` is the site that its navigation leads back to."""
    app = Quart(__name__, static_folder=None, template_folder=None)
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    _words(app, public_url)
    _pages(app, mailbox)
    _mail_pages(app, mailbox)
    _json(app, mailbox)
    app.before_request(_local_only)
    app.after_request(_headers)
    return app


def _words(app: Quart, public_url: str) -> None:
    app.jinja_env.loader = ChoiceLoader([FileSystemLoader(HERE / "templates"), FileSystemLoader(theme.TEMPLATES)])
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals |= {
        "asset": lambda name: f"/theme/{theme.asset_name(name)}",
        "get_flashed_messages": lambda **_: [],
        "site_name": "Ostiary",
        "lang": "en",
        "person": None,
        "public_url": public_url,
        "product": "Mailbox",
        "home": "/",
    }


def _pages(app: Quart, mailbox: Mailbox) -> None:
    @app.get("/")
    async def inbox() -> str:
        return await render_template("mailbox.html", mails=list(mailbox.mails), now=clock.now(), nav=_nav(app, mailbox))

    @app.post("/empty")
    async def empty() -> Response:
        mailbox.mails.clear()
        return redirect("/", 303)  # type: ignore[return-value]

    @app.get("/theme/<name>")
    async def themed(name: str) -> Response:
        path = theme.resolve_asset(name) or abort(404)
        content = await asyncio.to_thread(path.read_bytes)
        kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
        return Response(content, content_type=kinds[path.suffix] + "; charset=utf-8", headers=FOR_EVER)

    @app.get("/static/<name>")
    async def own(name: str) -> Response:
        return await send_from_directory(HERE / "static", name)


def _mail_pages(app: Quart, mailbox: Mailbox) -> None:
    @app.get("/messages/<int:number>")
    async def message(number: int) -> str:
        mail = mailbox.find(number) or abort(404)
        pieces = _pieces(mail.text)
        return await render_template("mail.html", mail=mail, pieces=pieces, nav=_nav(app, mailbox))

    @app.get("/messages/<int:number>/html")
    async def document(number: int) -> Response:
        mail = mailbox.find(number) or abort(404)
        answer = Response('<base target="_blank">' + mail.html, content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = MAIL_POLICY
        return answer


def _json(app: Quart, mailbox: Mailbox) -> None:
    @app.get("/api/messages")
    async def messages() -> list[dict[str, object]]:
        return [mail.to_json() for mail in mailbox.mails]

    @app.delete("/api/messages")
    async def delete_messages() -> tuple[str, int]:
        mailbox.mails.clear()
        return "", 204


def _nav(app: Quart, mailbox: Mailbox) -> list[dict[str, object]]:
    site = app.jinja_env.globals["public_url"]
    return [
        {"href": "/", "label": "Mail", "icon": "mail", "current": request.path == "/", "count": len(mailbox.mails)},
        {"href": f"{site}/", "label": "The site", "icon": "door", "current": False},
        {"href": f"{site}/admin", "label": "The console", "icon": "settings", "current": False},
    ]


def _pieces(text: str) -> list[tuple[str, bool]]:
    """The text cut at its links: (piece, is a link)."""
    pieces, end = [], 0
    for match in LINK.finditer(text):
        pieces += [(text[end : match.start()], False), (match[0].rstrip(AFTER_A_LINK), True)]
        end = match.start() + len(pieces[-1][0])
    return [*pieces, (text[end:], False)]


async def _local_only() -> tuple[str, int] | None:
    if not LOCAL_HOST.fullmatch(request.headers.get("Host", "")):
        return "The mailbox answers to http://localhost only.\n", 421
    if request.method in {"POST", "DELETE"} and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return "The mailbox is emptied from its own page only.\n", 403
    return None


async def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
