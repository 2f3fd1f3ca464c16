"""A site on a host of its own: in by a code for the browser that set out, and a cookie that counts there alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from quart import Quart

from ostiary_auth.app import create_app
from ostiary_auth.gate.at_site import SCRIPT
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import Desk
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.store import sessions as session_rows
from ostiary_shared.store import sites
from ostiary_shared.tokens import digest
from tests.auth.browser import body, cookies
from tests.auth.gate.conftest import HOST, PROXY, Guest
from tests.auth.gate.visitor import Visitor, at, come_in
from tests.auth.people import ADA, PASSWORD, count, person, rows

OTHER = "shop.example.test"
HERE = "localhost"


@pytest.fixture
async def shop(admin_sessions: Sessions) -> Site:
    """Another site behind the same gate: it may be a hostile one."""
    async with admin_sessions.begin() as session:
        site = Site(name="Shop", host=OTHER)
        session.add(site)
        await session.flush()
        await sites.replace_rules(session, site.id, [SiteRule(path_prefix="/", methods=[], asks="signed_in", value="")])
    return site


@pytest.fixture
def bos(app: Quart, bo: Guest) -> Visitor:
    """Bo's browser, signed in at our own host."""
    return Visitor(app, {HERE: {"ostiary": bo.token}})


async def test_whoever_is_signed_in_with_us_comes_in_at_the_site_and_back_to_the_page(site: Site, bos: Visitor) -> None:
    way = await come_in(bos)
    assert [urlsplit(url).path for url in way] == [
        "/.ostiary/sign-in",
        "/login",
        "/handover",
        "/.ostiary/enter",
        "/wiki",
    ]
    assert way[-1] == f"http://{HOST}/wiki?a=1&b=%26"
    assert bos.jars[HOST]["ostiary-site"].startswith("oh_")
    assert await bos.gate(HOST) == 200
    assert "ostiary" not in bos.jars[HOST]


async def test_a_stranger_signs_in_on_the_way(desk: Desk, site: Site, app: Quart, bo: Guest) -> None:
    await person(desk)
    visitor = Visitor(app)
    way = await visitor.follow(f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki", at(f"http://{HERE}/login"))
    wanted = parse_qs(urlsplit(way[-1]).query)["next"][0]
    page = await visitor.ask(way[-1])
    assert f"form-action 'self' http://{HOST}" in page.headers["Content-Security-Policy"]
    assert f"Then you go on to {HOST}" in await body(page)
    again = await body(await Visitor(app, {HERE: {"ostiary": bo.token}}).ask(f"{way[-1]}&again=1"))
    assert f"still you. Then you go on to {HOST}" in again
    client = app.test_client()
    sent = await client.post("/login", form={"email": ADA, "password": PASSWORD, "next": wanted})
    assert sent.headers["Location"] == wanted
    visitor.jars[HERE] = {"ostiary": cookies(sent)["ostiary"].partition("=")[2].partition(";")[0]}
    assert (await visitor.follow(f"http://{HERE}{wanted}", at(f"http://{HOST}/wiki")))[-1] == f"http://{HOST}/wiki"
    assert await visitor.gate(HOST) == 200


async def test_what_a_site_captures_opens_no_other_door(site: Site, shop: Site, app: Quart, bos: Visitor) -> None:
    await come_in(bos, OTHER, "/")
    stolen = bos.jars[OTHER]["ostiary-site"]
    assert await bos.gate(OTHER, "/", {"ostiary-site": stolen}) == 200
    for host in (HOST, HERE, f"{OTHER}:8443", "example.test"):
        assert await bos.gate(host, "/wiki", {"ostiary-site": stolen}) in {401, 403}
        assert await bos.gate(host, "/wiki", {"ostiary": stolen}) in {401, 403}
    client = app.test_client(use_cookies=False)
    for path in ("/api/v1/session", "/account", "/api/v1/account"):
        for carried in (
            {"Cookie": f"ostiary={stolen}"},
            {"Cookie": f"ostiary-site={stolen}"},
            {"Authorization": f"Bearer {stolen}"},
        ):
            answer = await client.get(path, headers=carried)
            assert answer.status_code in {303, 401, 404}, (path, carried)
    asked = await Visitor(app, {HOST: {"ostiary-site": stolen}}).ask(f"http://{HOST}/.ostiary/session")
    assert asked.status_code == 401
    handed = await Visitor(app, {HERE: {"ostiary-site": stolen}}).ask(f"http://{HERE}/handover?site=http://{HOST}")
    assert handed.headers["Location"].startswith("/login")


async def code_for(visitor: Visitor) -> str:
    """The address with a code, not yet opened."""
    start = f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki"
    return (await visitor.follow(start, at(f"http://{HOST}/.ostiary/enter")))[-1]


async def test_a_code_opens_nothing_in_another_browser(site: Site, app: Quart, bos: Visitor) -> None:
    address = await code_for(bos)
    victim = Visitor(app)
    assert (await victim.ask(address)).headers["Location"] == f"http://localhost/handover/again?site=http://{HOST}"
    await victim.ask(f"http://{HOST}/.ostiary/sign-in")  # which has a state of its own
    answer = await victim.ask(address)
    assert answer.headers["Location"] == f"http://localhost/handover/again?site=http://{HOST}"
    assert "ostiary-site" not in victim.jars[HOST]
    assert (await bos.ask(address)).headers["Location"] == "/wiki"


async def test_a_code_opens_nothing_at_another_site(site: Site, shop: Site, bos: Visitor) -> None:
    address = await code_for(bos)
    bos.jars[OTHER] = dict(bos.jars[HOST])
    answer = await bos.ask(address.replace(HOST, OTHER))
    assert answer.headers["Location"].startswith("http://localhost/handover/again")
    assert "ostiary-site" not in bos.jars[OTHER]


async def test_of_twenty_uses_of_one_code_one_succeeds(site: Site, desk: Desk, bos: Visitor) -> None:
    address = await code_for(bos)
    browsers = [Visitor(bos.app, {HOST: dict(bos.jars[HOST])}) for _ in range(20)]
    answers = await asyncio.gather(*(browser.ask(address) for browser in browsers))
    assert [answer.headers["Location"] for answer in answers].count("/wiki") == 1
    assert await count(desk, "site_sessions") == 1


async def test_a_code_is_good_for_a_minute(site: Site, bos: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    address = await code_for(bos)
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "again" in (await bos.ask(address)).headers["Location"]


async def test_no_code_or_token_stands_in_the_database(site: Site, desk: Desk, bos: Visitor) -> None:
    way = await come_in(bos)
    code = parse_qs(urlsplit(way[-2]).query)["code"][0]
    dump = str(await rows(desk, "SELECT t::text FROM one_time_tokens t"))
    dump += str(await rows(desk, "SELECT t::text FROM site_sessions t"))
    for secret in (code, *bos.jars[HOST].values()):
        assert secret not in dump


async def test_two_tabs_come_in_beside_each_other(site: Site, bos: Visitor) -> None:
    first, second = await code_for(bos), await code_for(bos)
    assert (await bos.ask(first)).headers["Location"] == "/wiki"
    assert (await bos.ask(second)).headers["Location"] == "/wiki"
    assert (await bos.ask(first)).headers["Location"] == "/"  # the back button of somebody who is inside


async def test_the_tokens_of_one_site_do_not_pile_up(site: Site, desk: Desk, bos: Visitor) -> None:
    for _ in range(8):
        await come_in(bos)
    assert await count(desk, "site_sessions") == 5
    assert await bos.gate(HOST) == 200


@pytest.mark.parametrize(
    "wanted",
    ["//evil.test", "/\\evil.test", "https://evil.test/", "/%2F/evil.test", "", "x", "/.ostiary/sign-in", "/a/../b"],
)
async def test_nobody_is_sent_elsewhere(wanted: str, site: Site, bos: Visitor) -> None:
    start = f"http://{HOST}/.ostiary/sign-in?next={quote(wanted, safe='')}"
    way = await bos.follow(start, lambda url: urlsplit(url).path == "/")
    assert way[-1] == f"http://{HOST}/"


@pytest.mark.parametrize(
    "site_address", ["http://evil.test", "https://evil.test", "javascript://x", "", f"http://{HOST}@evil.test", HERE]
)
async def test_codes_are_made_for_registered_sites_alone(
    site_address: str, site: Site, desk: Desk, bos: Visitor
) -> None:
    answer = await bos.ask(f"http://{HERE}/handover?site={site_address}&path=/&state=x")
    assert answer.status_code == 404
    again = await bos.ask(f"http://{HERE}/handover/again?site={site_address}")
    assert b"evil" not in await again.get_data()
    assert await count(desk, "one_time_tokens") == 0


@pytest.mark.parametrize("path", ["sign-in", "enter?code=x", "session"])
async def test_only_a_trusted_proxy_of_a_registered_site_is_answered(path: str, site: Site, app: Quart) -> None:
    assert (await Visitor(app, peer="192.0.2.9").ask(f"http://{HOST}/.ostiary/{path}")).status_code == 404
    assert (await Visitor(app).ask(f"http://unknown.test/.ostiary/{path}")).status_code == 404
    client = app.test_client(use_cookies=False)
    told = {"X-Forwarded-Host": HOST}
    bare = await client.get(f"/.ostiary/{path}", headers=told, scope_base={"client": (PROXY, 1)})
    assert bare.status_code == 404


async def test_the_gate_is_not_asked_about_our_own_pages(site: Site, bos: Visitor) -> None:
    await come_in(bos)
    assert await bos.gate(HOST, "/.ostiary/sign-in?next=%2F") == 403


async def test_the_session_can_be_asked_for_at_the_site(site: Site, app: Quart, bos: Visitor) -> None:
    referer = {"Referer": f"http://{HOST}/wiki/page?x=1"}
    stranger = await Visitor(app).ask(f"http://{HOST}/.ostiary/session", headers=referer)
    assert (stranger.status_code, stranger.mimetype) == (401, "application/problem+json")
    said = await stranger.get_json()
    assert said["code"] == "unauthenticated"
    assert said["sign_in"] == f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki%2Fpage%3Fx%3D1"
    assert said["reference"].startswith("s-")
    await come_in(bos)
    assert (await bos.ask(f"http://{HOST}/.ostiary/session")).status_code == 204


async def test_using_a_site_keeps_the_session_alive(
    site: Site, desk: Desk, bos: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await come_in(bos)
    later = clock.now() + timedelta(minutes=30)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert (await bos.ask(f"http://{HOST}/.ostiary/session")).status_code == 204
    assert (await rows(desk, "SELECT last_seen_at FROM sessions"))[0][0] == later


async def test_signing_out_at_a_site_is_signing_out_everywhere(site: Site, shop: Site, bos: Visitor) -> None:
    await come_in(bos)
    await come_in(bos, OTHER, "/")
    old = dict(bos.jars[HOST])
    forged = await bos.ask(f"http://{HOST}/.ostiary/sign-out", "POST", {"Sec-Fetch-Site": "cross-site"})
    assert forged.status_code == 403
    answer = await bos.ask(f"http://{HOST}/.ostiary/sign-out", "POST", {"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "ostiary-site" not in bos.jars[HOST]
    assert await bos.gate(HOST, cookies=old) == 401
    assert await bos.gate(OTHER, "/") == 401
    account = await bos.ask(f"http://{HERE}/account")
    assert account.headers["Location"].startswith("/login")


async def test_the_end_of_the_session_is_the_end_at_every_site(site: Site, bos: Visitor) -> None:
    await come_in(bos)
    await bos.ask(f"http://{HERE}/logout", "POST")
    assert await bos.gate(HOST) == 401


async def test_asking_whether_the_session_lives_fills_no_list_of_refusals(site: Site, desk: Desk, bos: Visitor) -> None:
    await come_in(bos)
    await bos.ask(f"http://{HERE}/logout", "POST")
    asked = await bos.ask(f"http://{HOST}/.ostiary/session")
    assert asked.status_code == 401
    assert (await asked.get_json())["reference"].startswith("s-")
    assert await count(desk, "denials") == 0


async def test_a_code_of_a_session_that_ended_meanwhile_opens_nothing(site: Site, bos: Visitor) -> None:
    address = await code_for(bos)
    await bos.ask(f"http://{HERE}/logout", "POST")
    assert "again" in (await bos.ask(address)).headers["Location"]


def test_the_script_is_small_and_draws_nothing_inline() -> None:
    assert len(SCRIPT) <= 2048
    for word in (b"innerHTML", b".style", b"eval(", b"insertAdjacent", b"document.write"):
        assert word not in SCRIPT


async def test_the_script_is_served_as_one(app: Quart) -> None:
    answer = await Visitor(app).ask(f"http://{HOST}/.ostiary/session.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


async def test_a_new_password_gives_every_site_a_new_token(site: Site, desk: Desk, app: Quart) -> None:
    await person(desk)
    client = app.test_client()
    entered = await client.post("/login", form={"email": ADA, "password": PASSWORD})
    token = cookies(entered)["ostiary"].partition("=")[2].partition(";")[0]
    visitor = Visitor(app, {HERE: {"ostiary": token}})
    await come_in(visitor)
    new = "another harbour lamp 78"
    changed = await client.post("/account/password", form={"current_password": PASSWORD, "password": new})
    assert changed.status_code == 303
    assert await visitor.gate(HOST) == 401


async def test_two_cookies_of_ours_are_none(app: Quart, bo: Guest) -> None:
    client = app.test_client(use_cookies=False)
    for header, status in ((f"ostiary={bo.token}", 200), (f"ostiary={bo.token}; ostiary=x", 401)):
        answer = await client.get("/api/v1/session", headers={"Cookie": header})
        assert answer.status_code == status


@pytest.fixture
async def secure(database: object, auth_settings: AuthSettings) -> AsyncIterator[Quart]:
    """Auth as it runs for real: over HTTPS, behind a proxy."""
    told = {"public_url": "https://login.example.test", "trusted_proxies": (ip_network(PROXY),)}
    app = create_app(auth_settings.model_copy(update=told))
    async with app.test_app():
        yield app


async def test_over_https_the_cookies_are_bound_to_the_host_and_hsts_is_the_sites_own(
    site: Site, bo: Guest, secure: Quart
) -> None:
    visitor = Visitor(secure, {"login.example.test": {"__Host-ostiary": bo.token}})
    start = await visitor.ask(f"https://{HOST}/.ostiary/sign-in?next=%2Fwiki")
    way = await visitor.follow(f"https://{HOST}/.ostiary/sign-in?next=%2Fwiki", at(f"https://{HOST}/.ostiary/enter"))
    entered = await visitor.ask(way[-1])
    for answer, name in ((start, "__Host-ostiary-state"), (entered, "__Host-ostiary-site")):
        line = cookies(answer)[name]
        assert {part.partition("=")[0].strip() for part in line.split(";")[1:]} - {"Expires", "Max-Age"} == {
            "Secure",
            "HttpOnly",
            "Path",
            "SameSite",
        }
        assert "Path=/" in line
        assert "SameSite=Lax" in line
        assert "Strict-Transport-Security" not in answer.headers
    assert "Max-Age" not in cookies(entered)["__Host-ostiary-site"]
    assert (await visitor.ask(f"https://{HOST}/.ostiary/session")).status_code == 204


async def test_over_plain_http_a_secure_sign_in_is_not_handed_over(site: Site, bo: Guest, secure: Quart) -> None:
    visitor = Visitor(secure, {"login.example.test": {"__Host-ostiary": bo.token}})
    plain = await visitor.ask(f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki")
    assert plain.headers["Location"].startswith("https://login.example.test/login?next=http%3A%2F%2F")
    assert plain.headers.getlist("Set-Cookie") == []
    asked = f"https://login.example.test/handover?site=http%3A%2F%2F{HOST}&path=%2F&state=x"
    assert (await visitor.ask(asked)).status_code == 404


async def test_within_the_cookies_domain_there_is_no_handover(
    site: Site, bo: Guest, database: object, auth_settings: AuthSettings
) -> None:
    told = {
        "public_url": "https://login.example.test",
        "cookie_domain": "example.test",
        "trusted_proxies": (ip_network(PROXY),),
    }
    app = create_app(auth_settings.model_copy(update=told))
    async with app.test_app():
        visitor = Visitor(app, {HOST: {"__Secure-ostiary": bo.token}})
        sent = await visitor.ask(f"https://{HOST}/.ostiary/sign-in?next=%2Fwiki")
        assert sent.headers["Location"] == f"https://login.example.test/login?next=https%3A%2F%2F{HOST}%2Fwiki"
        assert sent.headers.getlist("Set-Cookie") == []
        assert (await visitor.ask(f"https://{HOST}/.ostiary/session")).status_code == 204
        out = await visitor.ask(f"https://{HOST}/.ostiary/sign-out", "POST", {"Sec-Fetch-Site": "same-origin"})
        assert "Domain=example.test" in cookies(out)["__Secure-ostiary"]


async def test_a_token_that_was_replaced_gets_nothing_for_a_site(desk: Desk, site: Site, bos: Visitor) -> None:
    """For a few seconds it is good still, in whoever's hands; what it got for a site would be good for a day."""
    ((session_id,),) = await rows(desk, "SELECT id FROM sessions")
    async with desk.begin() as work:
        await session_rows.rotate(work.session, session_id, digest("os_new"), work.now)
    assert (await bos.ask(f"http://{HERE}/account")).status_code == 200
    way = await bos.follow(f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki", at(f"http://{HERE}/handover"))
    assert (await bos.ask(way[-1])).status_code == 409
    assert await count(desk, "one_time_tokens") == 0


@pytest.mark.parametrize(
    ("path", "method", "status"), [("nothing", "GET", 404), ("session", "POST", 405), ("sign-out", "GET", 200)]
)
async def test_pages_at_a_sites_host_need_nothing_from_it(
    path: str, method: str, status: int, site: Site, app: Quart
) -> None:
    """Our assets are not there: what they ask of that host is the site's, or a refusal."""
    answer = await Visitor(app).ask(f"http://{HOST}/.ostiary/{path}", method, {"Accept": "text/html"})
    page = await body(answer)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert not any(word in page for word in ("<link", "<script", "<svg", "src="))
    assert '<a href="http://localhost' in page


async def test_a_link_to_sign_out_shows_a_button_and_signs_nobody_out(site: Site, bos: Visitor) -> None:
    await come_in(bos)
    page = await body(await bos.ask(f"http://{HOST}/.ostiary/sign-out?next=%2Fwiki"))
    assert '<form method="post" action="/.ostiary/sign-out?next=%2Fwiki"><button type="submit">Sign out<' in page
    assert await bos.gate(HOST) == 200
