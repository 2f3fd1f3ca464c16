"""The way in at a site of another host as it is in earnest: by HTTPS, with cookies that nothing else carries."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from ostiary import authority, serving
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.store import sites
from tests.browser.conftest import CHROMIUM, QUIET, at_a_browser
from tests.browser.far import listening
from tests.conftest import AUTH_SECRET, Databases
from tests.make import PASSWORD, make_person
from tests.system import proxied, wirings
from tests.system.intranet import or_skip
from tests.system.wirings import Wiring

pytestmark = pytest.mark.proxy
SHOP, LOGIN, ADA = "shop.far.test", "login.near.test", "ada@example.test"
HOSTS = ",".join(f"MAP {name} 127.0.0.1" for name in (SHOP, LOGIN))
PAGE = """<!doctype html><html lang="en"><title>The Shop</title><link rel="icon" href="data:,"><p>Read as {who}.</p>
<form method="post" action="/.ostiary/sign-out?next=/bye"><button>Leave</button></form></html>"""


def caddy(wiring: Wiring) -> list[str]:
    """As shipped, with certificates of its own making."""
    written = wiring.written(
        "Caddyfile",
        [
            *wiring.addresses,
            ("app.example.org {", f"{SHOP}:{wiring.port} {{\n\ttls internal"),
            ("login.example.org {", f"{LOGIN}:{wiring.port} {{\n\ttls internal"),
        ],
        before="{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n}\n",
    )
    return ["caddy", "run", "--config", str(written), "--adapter", "caddyfile"]


def nginx(wiring: Wiring) -> list[str]:
    """As shipped, with certificates of ours."""
    command = wirings.nginx(wiring)
    authority.settled(authority.opened(wiring.place / "tls"), "proxy", [SHOP, LOGIN])
    file, tls = wiring.place / "nginx.conf", wiring.place / "tls"
    text = file.read_text().replace(f"listen 127.0.0.1:{wiring.port}", f"listen 127.0.0.1:{wiring.port} ssl")
    text = text.replace("server_name login.example.org;", f"server_name {LOGIN};")
    lines = f"ssl_certificate {tls}/proxy.pem; ssl_certificate_key {tls}/proxy.key;"
    file.write_text(text.replace("http {", f"http {{ {lines}", 1))
    return command


KINDS = {"caddy": caddy, "nginx": nginx}


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One that finds both names on this machine, and takes certificates that nobody else would."""
    options = [f"--host-resolver-rules={HOSTS}", "--ignore-certificate-errors"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *options])
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def _shop(cookies: list[str]) -> AsyncIterator[int]:
    """An app that notes what cookies it is sent; its port."""

    async def answer(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie", ""))
        who = request.headers.get("Remote-Email") or "nobody"
        return web.Response(text=PAGE.format(who=who), content_type="text/html", headers={"Set-Cookie": "basket=3"})

    async with listening(answer) as port:
        yield port


async def _list_the_shop(admin_sessions: Sessions) -> None:
    async with admin_sessions.begin() as session:
        site = Site(name="The Shop", host=SHOP)
        session.add(site)
        await session.flush()
        await sites.replace_rules(session, site.id, [SiteRule(path_prefix="/", methods=[], asks="signed_in", value="")])


@contextlib.asynccontextmanager
async def _house(kind: str, database: Databases, cookies: list[str]) -> AsyncIterator[int]:
    """Auth and the shop behind one proxy that speaks HTTPS; the port of both."""
    or_skip(kind)
    door, port = serving.bind(0, "a port"), proxied.free_port()
    settings = AuthSettings.load({
        "OSTIARY_PUBLIC_URL": f"https://{LOGIN}:{port}", "OSTIARY_DATABASE_URL": database.auth,
        "OSTIARY_SECRET_KEY": AUTH_SECRET, "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>", "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
    })  # fmt: skip
    app = create_app(settings)
    with tempfile.TemporaryDirectory(prefix="ostiary-https-") as folder:
        async with serving.lifespan(app), serving.serving(serving.Site(app, door)), _shop(cookies) as shop:
            wiring = Wiring(Path(folder), port, shop, door.getsockname()[1], name=SHOP)
            async with proxied.program(kind, wiring):
                yield port


async def _ours(context: BrowserContext) -> dict[str, set[str]]:
    """Our cookies, by host; each is for HTTPS, for the whole of that very host, and out of the reach of scripts."""
    found = [one for one in await context.cookies() if "ostiary" in str(one.get("name"))]
    assert all(one.get("secure") and one.get("httpOnly") and one.get("path") == "/" for one in found)
    return {host: {str(one.get("name")) for one in found if one.get("domain") == host} for host in (SHOP, LOGIN)}


@pytest.mark.filterwarnings("ignore:Secure cookies will be ignored")  # as in visitor.py: auth itself is asked by HTTP
@pytest.mark.parametrize("kind", KINDS)
async def test_in_at_a_site_of_another_host_and_out_again_over_https(
    kind: str, chromium: Browser, database: Databases, sessions: Sessions, admin_sessions: Sessions,
    tools: AuthTools, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(proxied.COMMANDS, kind, KINDS[kind])
    await make_person(sessions, tools, ADA)
    await _list_the_shop(admin_sessions)
    cookies: list[str] = []
    async with _house(kind, database, cookies) as port, at_a_browser(chromium) as ada:
        page, wanted = ada.page, f"https://{SHOP}:{port}/shelf?page=2&sort=new"
        await page.goto(wanted)
        assert page.url.startswith(f"https://{LOGIN}:{port}/login?next=")
        await page.get_by_label("E-mail address").fill(ADA)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(wanted)
        await expect(page.get_by_text(f"Read as {ADA}")).to_be_visible()
        held = await _ours(ada.context)
        assert held[SHOP] == {"__Host-ostiary-site", "__Host-ostiary-state"}
        assert "__Host-ostiary" in held[LOGIN]
        await page.reload()
        assert "basket=3" in cookies[-1]
        assert "ostiary" not in " ".join(cookies), "the app saw a sign-in"
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert page.url.startswith(f"https://{LOGIN}:{port}/login?next=")
        assert "__Host-ostiary-site" not in (await _ours(ada.context))[SHOP]
        assert not any("bye" in seen for seen in cookies)
