"""Rules in full at the gate: networks, exact paths, several roles, recent sign-ins, preflights and wildcards."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from quart import Quart

from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.store import sessions as session_rows
from ostiary_shared.store import sites
from ostiary_shared.tokens import SESSION, mint
from tests.auth.gate.conftest import HOST, LIFETIME, SESSION_KEY, Ask, Guest, add_guest

PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
DOORS = ("/gate", "/gate/nginx")
OFFICE = [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")]


async def set_up(admin_sessions: Sessions, *rules: SiteRule, host: str = HOST) -> None:
    async with admin_sessions.begin() as session:
        site = Site(name="Intranet", host=host)
        session.add(site)
        await session.flush()
        await sites.replace_rules(session, site.id, list(rules))


@pytest.fixture
async def office(admin_sessions: Sessions) -> None:
    """Open to the office, for editors from anywhere else."""
    await set_up(
        admin_sessions,
        SiteRule(path_prefix="/", networks=OFFICE, asks="anyone"),
        SiteRule(path_prefix="/", asks="role", value="editor"),
    )


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("forwarded", "passes"),
    [
        ("192.0.2.9", True),
        ("2001:db8::9", True),
        ("::ffff:192.0.2.9", True),
        ("198.51.100.1", False),
        ("192.0.2.9, 198.51.100.1", False),  # what the client wrote itself stands on the left
        ("198.51.100.1, 192.0.2.9", True),
        ("unknown", False),
        ("", False),
    ],
)
@pytest.mark.usefixtures("office")
async def test_a_rule_for_some_networks_goes_by_the_address_the_proxy_tells(
    door: str, forwarded: str, passes: bool, ask: Ask
) -> None:
    answer = await ask("/", {"X-Forwarded-For": forwarded}, door=door)
    assert (answer.status_code == 200) == passes


@pytest.mark.usefixtures("office")
async def test_a_proxy_that_does_not_tell_the_address_is_not_taken_for_the_visitor(
    ask: Ask, admin_sessions: Sessions, ed: Guest
) -> None:
    everywhere = [ip_network("127.0.0.0/8")]
    async with admin_sessions.begin() as session:
        site = await sites.at(session, HOST)
        assert site is not None
        await sites.replace_rules(
            session,
            site.id,
            [
                SiteRule(path_prefix="/", networks=everywhere, asks="anyone"),
                SiteRule(path_prefix="/", asks="signed_in"),
            ],
        )
    for untold in (None, "", ", ,"):
        for cookie in ({}, ed.cookie):
            asked: dict[str, Any] = {"X-Forwarded-For": untold, **cookie}
            assert (await ask("/", asked)).status_code == 403, untold


async def test_an_exact_rule_opens_one_page(ask: Ask, admin_sessions: Sessions) -> None:
    await set_up(admin_sessions, SiteRule(path_prefix="/", match="exact", asks="anyone"))
    assert (await ask("/")).status_code == 200
    assert (await ask("/?q=1")).status_code == 200
    assert (await ask("/secret")).status_code == 403


@pytest.mark.parametrize(
    ("asks", "held", "status"),
    [
        ("any_role", ("author",), 200),
        ("any_role", ("end-user",), 403),
        ("all_roles", ("author",), 403),
        ("all_roles", ("author", "editor"), 200),
    ],
)
async def test_any_or_all_of_several_roles(
    asks: str, held: tuple[str, ...], status: int, ask: Ask, admin_sessions: Sessions, sessions: Sessions
) -> None:
    await set_up(admin_sessions, SiteRule(path_prefix="/", asks=asks, roles=["editor", "author"]))
    guest = await add_guest(sessions, "gus@example.test", *held)
    assert (await ask("/", guest.cookie)).status_code == status


async def test_a_preflight_passes_by_its_own_rule_without_a_cookie(ask: Ask, admin_sessions: Sessions) -> None:
    """A browser sends no cookie with it (Fetch, 4.8), so asking for a sign-in would end every cross-origin call."""
    await set_up(
        admin_sessions,
        SiteRule(path_prefix="/api/", methods=["OPTIONS"], asks="anyone"),
        SiteRule(path_prefix="/", asks="signed_in"),
    )
    preflight = {"Origin": "https://app.example.test", "Access-Control-Request-Method": "POST"}
    for door in DOORS:
        assert (await ask("/api/x", preflight, method="OPTIONS", door=door)).status_code == 200
        assert (await ask("/api/x", preflight, method="POST", door=door)).status_code == 401
        assert (await ask("/other", preflight, method="OPTIONS", door=door)).status_code == 401


async def test_a_sign_in_that_is_too_old_is_asked_for_anew_and_the_way_back_is_kept(
    ask: Ask, admin_sessions: Sessions, sessions: Sessions, bo: Guest
) -> None:
    await set_up(admin_sessions, SiteRule(path_prefix="/", asks="signed_in", fresh_minutes=5))
    assert (await ask("/pay?to=7", bo.cookie)).status_code == 200
    token = mint(SESSION, SESSION_KEY)
    start = session_rows.Start(bo.user.id, token.digest, ("password",), 1, LIFETIME, "192.0.2.7", "test")
    async with sessions.begin() as session:
        await session_rows.start(session, start, clock.now() - timedelta(minutes=6))
    old = Guest(bo.user, token.value)
    sent = await ask("/pay?to=7", {**PAGE, **old.cookie})
    assert sent.status_code == 302
    again = urlsplit(sent.headers["Location"])
    assert parse_qs(again.query) == {"next": ["/pay?to=7"], "again": ["1"]}
    by_nginx = await ask("/pay?to=7", {**PAGE, **old.cookie}, door="/gate/nginx")
    assert by_nginx.headers["X-Ostiary-Denied"] == again.geturl()
    told = await (await ask("/pay?to=7", old.cookie)).get_json()
    assert (told["status"], parse_qs(urlsplit(told["sign_in"]).query)["again"]) == (403, ["1"])


async def test_whoever_is_signed_in_is_sent_on_unless_asked_again(app: Quart, bo: Guest) -> None:
    client = app.test_client(use_cookies=False)
    assert (await client.get("/login", headers=bo.cookie)).status_code == 303
    page = await client.get("/login?again=1", headers=bo.cookie)
    assert page.status_code == 200
    assert "once more" in await page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("wiki.example.test", 200),
        ("WIKI.Example.TEST", 200),
        ("wiki.example.test:8443", 200),
        ("own.example.test", 403),
        ("example.test", 403),
        ("a.wiki.example.test", 403),
        ("wiki.example.test.", 403),
        ("*.example.test", 403),
        ("wikiexample.test", 403),
    ],
)
async def test_a_wildcard_covers_one_label_and_an_entry_of_its_own_goes_first(
    host: str, status: int, ask: Ask, admin_sessions: Sessions
) -> None:
    await set_up(admin_sessions, SiteRule(path_prefix="/", asks="anyone"), host="*.example.test")
    await set_up(admin_sessions, host="own.example.test")
    assert (await ask("/", {"X-Forwarded-Host": host})).status_code == status


async def test_a_role_is_named_by_the_sites_that_ask_for_it_alone_or_among_others(admin_sessions: Sessions) -> None:
    await set_up(admin_sessions, SiteRule(path_prefix="/", asks="role", value="editor"), host="one.test")
    await set_up(
        admin_sessions, SiteRule(path_prefix="/", asks="all_roles", roles=["author", "editor"]), host="two.test"
    )
    await set_up(admin_sessions, SiteRule(path_prefix="/", asks="permission", value="author"), host="three.test")
    async with admin_sessions.begin() as session:
        assert await sites.asking(session, "editor") == ["Intranet", "Intranet"]
        assert await sites.asking(session, "author") == ["Intranet"]
        assert await sites.asking(session, "admin") == []
