"""The shipped proxy configurations, walked with the real programs: who gets in, and what the app is told."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ostiary_client.assertion import verify_assertion
from ostiary_shared import clock, revocation
from ostiary_shared.database import Sessions
from ostiary_shared.store import users
from tests.auth.gate.conftest import Guest, add_guest
from tests.conftest import Databases
from tests.system.intranet import intranet, or_skip
from tests.system.proxied import KINDS, Proxied, backend, proxy
from tests.system.traversals import TRAVERSALS, readings
from tests.system.wirings import SHIPPED

pytestmark = pytest.mark.proxy
PAGE = [("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html")]
FETCH = [("Sec-Fetch-Mode", "cors"), ("Accept", "*/*")]
IDENTITY = ("Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Ostiary-Assertion")


@pytest.fixture(params=KINDS)
async def site(request: pytest.FixtureRequest, database: Databases, admin_sessions: Sessions) -> AsyncIterator[Proxied]:
    """The intranet behind the proxy."""
    async with intranet(request.param, database, admin_sessions) as running:
        yield running


@pytest.fixture
async def bo(sessions: Sessions, database: Databases) -> Guest:
    return await add_guest(sessions, "bo@example.test", "end-user")


@pytest.fixture
async def ed(sessions: Sessions, database: Databases) -> Guest:
    return await add_guest(sessions, "ed@example.test", "editor", name="Ed Ödön")


def cookie(guest: Guest) -> list[tuple[str, str]]:
    return [("Cookie", f"theme=dark; ostiary={guest.token}")]


async def test_a_stranger_on_a_page_is_sent_to_sign_in_and_will_come_back(site: Proxied) -> None:
    answer = await site.ask("/wiki/a%20b?x=1&y=%2F", PAGE)
    assert answer.status == 302
    place = urlsplit(answer.location)
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{site.public_url}/login"
    assert parse_qs(place.query)["next"] == [f"http://{site.host}/wiki/a%20b?x=1&y=%2F"]
    assert site.backend.seen == []


@pytest.mark.parametrize("headers", [FETCH, [("Accept", "text/event-stream")], [("Sec-Fetch-Mode", "websocket")]])
async def test_a_strangers_program_is_told_in_json(site: Proxied, headers: list[tuple[str, str]]) -> None:
    answer = await site.ask("/wiki", headers)
    assert answer.status == 401
    problem = site.problem(answer)
    assert (problem["status"], problem["code"]) == (401, "unauthenticated")
    assert str(problem["sign_in"]).startswith(f"{site.public_url}/login?next=http%3A%2F%2Flocalhost%3A{site.port}%2F")
    assert problem["reference"]
    assert site.backend.seen == []


async def test_a_websocket_is_judged_like_any_other_request(site: Proxied, bo: Guest) -> None:
    upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-Fetch-Mode", "websocket"),
    ]
    assert (await site.ask("/wiki/live", upgrade)).status == 401
    await site.ask("/wiki/live", upgrade + cookie(bo))
    assert site.backend.seen[0].named("Upgrade") == ["websocket"]


async def test_someone_signed_in_passes_and_the_app_is_told_who_in_five_headers(site: Proxied, ed: Guest) -> None:
    answer = await site.ask("/editor/x?y=1", [*PAGE, *cookie(ed)])
    assert (answer.status, answer.body) == (200, b"backend")
    seen = site.backend.seen[0]
    assert seen.path == "/editor/x?y=1"
    told = {name: seen.named(name) for name in IDENTITY}
    signed = told.pop("X-Ostiary-Assertion")
    assert told == {
        "Remote-User": [str(ed.user.id)], "Remote-Email": ["ed@example.test"],
        "Remote-Name": ["Ed Ödön".encode().decode("latin-1")], "Remote-Groups": ["editor"],
    }  # fmt: skip
    said = verify_assertion(signed[0], audience=site.host, issuer=site.public_url, jwks=await published(site))
    assert said.id == str(ed.user.id)


async def published(site: Proxied) -> Any:
    import aiohttp

    async with aiohttp.ClientSession() as http, http.get(f"{site.public_url}/.well-known/jwks.json") as answer:
        return await answer.json()


async def test_what_a_client_writes_behind_its_body_does_not_tell_the_app_who_it_is(site: Proxied, bo: Guest) -> None:
    head = ("POST /wiki HTTP/1.1", f"Host: {site.host}", f"Cookie: ostiary={bo.token}", "Transfer-Encoding: chunked")
    behind = b"1\r\na\r\n0\r\nRemote-User: forged\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"
    answer = await site.send(
        "\r\n".join([*head, "Trailer: Remote-User", "Connection: close\r\n\r\n"]).encode() + behind
    )
    assert answer.status in {200, 411}
    for seen in site.backend.seen:
        assert seen.named("Remote-User") == [str(bo.user.id)]
        assert "203.0.113.7" not in str(seen.named("X-Forwarded-For"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_body_reaches_the_app_and_not_the_gate(site: Proxied, bo: Guest, method: str) -> None:
    body = b"x" * 1000
    lines = (f"{method} /wiki HTTP/1.1", f"Host: {site.host}", f"Cookie: ostiary={bo.token}", "Content-Length: 1000")
    assert (await site.send("\r\n".join([*lines, "Connection: close\r\n\r\n"]).encode() + body)).status == 200
    assert site.backend.seen[0].line.startswith(method)


async def test_a_part_for_editors_leads_others_to_a_code(site: Proxied, bo: Guest) -> None:
    page = await site.ask("/editor/", [*PAGE, *cookie(bo)])
    assert page.status == 302
    assert re.fullmatch(rf"{site.public_url}/denied/\w{{4}}-\w{{4}}", page.location)
    program = await site.ask("/editor/", [*FETCH, *cookie(bo)])
    assert program.status == 403
    assert site.problem(program)["explanation"] == page.location
    assert site.backend.seen == []


async def test_a_lock_counts_at_the_next_request(site: Proxied, bo: Guest, admin_sessions: Sessions) -> None:
    assert (await site.ask("/wiki", cookie(bo))).status == 200
    async with admin_sessions.begin() as session:
        await users.change(session, bo.user.id, locked_at=clock.now(), locked_reason="left")
    await revocation.settle(admin_sessions, session)
    assert (await site.ask("/wiki", cookie(bo))).status == 403
    assert len(site.backend.seen) == 1


def spellings(name: str) -> list[str]:
    """A header's name in every form that some backend reads as the same."""
    parts = name.split("-")
    forms = [parts[0]]
    for part in parts[1:]:
        forms = [form + joint + part for form in forms for joint in "-_."]
    return [case for form in forms for case in (form, form.lower(), form.upper())]


def test_caddy_strips_every_spelling_by_name() -> None:
    """Where our answer lacks a header, some Caddy let the client's pass (CVE-2026-30851): ours never does, and yet."""
    stripped = set(re.findall(r"request_header -(\S+)", (SHIPPED / "Caddyfile").read_text()))
    assert stripped >= {
        form for name in IDENTITY for form in spellings(name) if form[0].isupper() and form != form.upper()
    }


def test_nginx_keeps_bodies_from_the_gate() -> None:
    assert "proxy_pass_request_body off;" in (SHIPPED / "nginx.conf").read_text()


@pytest.mark.parametrize("signed_in", [False, True])
async def test_what_a_client_says_of_itself_never_reaches_the_app(site: Proxied, bo: Guest, signed_in: bool) -> None:
    forged = [(form, "forged") for name in IDENTITY for form in spellings(name)]
    for headers in ([forged[n]] for n in range(len(forged))):
        await site.ask("/public/x", headers + (cookie(bo) if signed_in else []))
    await site.ask("/public/x", forged + (cookie(bo) if signed_in else []))
    await site.ask("/public/x", [("Connection", "close, Remote-User, X-Ostiary-Assertion"), *forged])
    assert len(site.backend.seen) >= len(forged)
    for seen in site.backend.seen:
        for name in IDENTITY:
            assert "forged" not in seen.named(name), (seen.headers, name)


@pytest.mark.parametrize("listed", ["Remote-User", "X-Ostiary-Assertion, close", "X-Forwarded-Uri", "Cookie"])
async def test_a_connection_header_takes_nothing_from_what_the_app_is_told(
    site: Proxied, ed: Guest, listed: str
) -> None:
    await site.ask("/editor/x", [("Connection", listed), *cookie(ed)])
    for seen in site.backend.seen:
        assert all(seen.named(name) for name in IDENTITY), seen.headers
        # Nor does it reach whatever stands behind us, and might honour it.
        assert not set(seen.named("Connection")) & {listed, listed.removesuffix(", close")}, seen.headers


@pytest.mark.parametrize(
    "cookies",
    [
        "{ours}",
        "{ours}; theme=dark",
        "theme=dark; {ours}",
        "a=1; {ours}; theme=dark",
        "theme=dark; {ours}; {ours}",
        "__Host-{ours};theme=dark",
    ],
)
async def test_the_sign_in_itself_never_reaches_the_app(site: Proxied, bo: Guest, cookies: str) -> None:
    sent = cookies.format(ours=f"ostiary={bo.token}")
    for more in ([], [("Cookie", f"b=2; ostiary={bo.token}")]):
        await site.ask("/public/x", [("Cookie", sent), *more, ("Authorization", f"Bearer {bo.token}")])
    assert len(site.backend.seen) == 2
    assert bo.token not in str([seen.headers for seen in site.backend.seen])
    if site.kind == "traefik":  # which takes out all cookies or none
        assert site.backend.seen[0].named("Cookie") == []
    elif sent.count("ostiary") == 1:
        assert ("theme=dark" in str(site.backend.seen[0].named("Cookie"))) == ("theme" in sent)


async def test_the_apps_own_cookies_and_credentials_do(site: Proxied, bo: Guest) -> None:
    own = "a=1; not-ostiary-at-all=2; theme=dark"
    await site.ask("/public/x", [("Cookie", own), ("Authorization", "Bearer own")])
    # Traefik takes out all cookies or none; the file says how to choose.
    passed_on = ([], []) if site.kind == "traefik" else ([own], ["Bearer own"])
    assert (site.backend.seen[0].named("Cookie"), site.backend.seen[0].named("Authorization")) == passed_on


FORGED_QUESTIONS = [
    [("X-Forwarded-Uri", "/public/")],
    [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/feed")],
    [("X-Forwarded-Host", "open.example.test")],
    [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Uri", "/public"),
        ("X-Original-URI", "/public"),
        ("X-Rewrite-Url", "/public"),
    ],
    [("Connection", "close, X-Forwarded-Uri, X-Forwarded-Host"), ("X-Forwarded-Uri", "/public")],
    [("X_Forwarded_Uri", "/public")],
]


@pytest.mark.parametrize("headers", FORGED_QUESTIONS)
async def test_a_client_cannot_put_the_proxys_question(
    site: Proxied, bo: Guest, headers: list[tuple[str, str]]
) -> None:
    assert (await site.ask("/editor/secret", headers)).status in {400, 401, 403}
    assert (await site.ask("/editor/secret", headers + cookie(bo))).status in {400, 403}
    assert (await site.ask("/feed", headers, method="POST")).status in {400, 403}
    assert site.backend.seen == []


async def test_a_clients_address_is_the_proxys_to_tell(site: Proxied, bo: Guest) -> None:
    await site.ask("/wiki", [("X-Forwarded-For", "203.0.113.9"), *cookie(bo)])
    assert site.backend.seen[0].named("X-Forwarded-For") == ["127.0.0.1"]


@pytest.mark.parametrize(
    "target", ["http://{host}/editor/x", "http://open.example.test/editor/x", "http://{host}/public/../editor/x"]
)
@pytest.mark.parametrize("host", ["{host}", "open.example.test"])
async def test_an_address_in_absolute_form_opens_nothing_more(
    site: Proxied, admin_sessions: Sessions, target: str, host: str
) -> None:
    from ostiary_shared.models import Site, SiteRule

    async with admin_sessions.begin() as session:
        other = Site(name="Open", host="open.example.test")
        session.add(other)
        await session.flush()
        session.add(SiteRule(site_id=other.id, position=0, path_prefix="/", methods=[], asks="anyone", value=""))
    with contextlib.suppress(asyncio.IncompleteReadError):  # nginx hangs up on a name that it does not serve
        await site.ask(target.format(host=site.host), [("Host", host.format(host=site.host))])
    assert site.backend.seen == []


async def test_the_gate_itself_is_not_reached_through_the_proxy(site: Proxied) -> None:
    for path in ("/gate", "/gate/nginx", "/metrics", "/healthz", "/readyz", "//gate", "/%67ate", "/x/../gate"):
        host = f"login.example.org:{site.port}"
        assert (await site.ask(path, [("Host", host), ("X-Forwarded-Uri", "/public")])).status in {400, 404}, path


def test_there_are_enough_traversals_and_they_would_lead_astray() -> None:
    assert len(set(TRAVERSALS)) >= 60
    assert sum(any(path.startswith("/editor") for path in readings(target)) for target in TRAVERSALS) >= 45


async def test_no_reading_of_a_path_is_served_that_was_not_judged(site: Proxied, bo: Guest) -> None:
    """What reaches the app for a stranger is public in every reading; for a person without the role, not editors'."""
    for target in TRAVERSALS:
        for headers in (FETCH, PAGE, FETCH + cookie(bo)):
            site.backend.seen.clear()
            answer = await site.ask(target, headers)
            assert (answer.body == b"backend") == bool(site.backend.seen), target
            for seen in site.backend.seen:
                for path in readings(seen.path):
                    allowed = ("/public", "/feed", "/wiki") if headers[-1][0] == "Cookie" else ("/public", "/feed")
                    assert path.startswith(tuple(f"{prefix}/" for prefix in allowed)) or path in allowed, (
                        target,
                        seen,
                        path,
                    )


async def test_the_corpus_is_not_refused_for_being_odd_alone(site: Proxied, ed: Guest) -> None:
    for target in (
        "/public/x",
        "/public/%20x",
        "/public/%C3%BC",
        "/public/a+b:@~",
        "/public/?../editor",
        "/editor/x?/../public/",
    ):
        assert (await site.ask(target, cookie(ed))).status == 200, target


async def test_without_the_gate_nobody_gets_in(bo: Guest, database: Databases, site: Proxied) -> None:
    async with backend() as behind, proxy(site.kind, behind, 1) as cut_off:
        answer = await cut_off.ask("/public", cookie(bo))
        assert answer.status >= 500
        assert behind.seen == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_console_is_reached_beside_auth_and_its_insides_are_not(kind: str) -> None:
    or_skip(kind)
    async with backend() as app, backend() as auth, backend() as admin, proxy(kind, app, auth.port, admin.port) as site:
        host = [("Host", f"login.example.org:{site.port}")]
        for path in ("/admin", "/admin/users?sort=name", "/admin/api/v1/users"):
            assert (await site.ask(path, host)).status == 200
        for path in ("/login", "/administrator"):
            assert (await site.ask(path, host)).status == 200
        for path in ("/admin/healthz", "/admin/readyz", "/admin/metrics", "/healthz"):
            assert (await site.ask(path, host)).status == 404
        assert [seen.path for seen in admin.seen] == ["/admin", "/admin/users?sort=name", "/admin/api/v1/users"]
        assert [seen.path for seen in auth.seen] == ["/login", "/administrator"]
        assert app.seen == []


INSIDE = ("/gate", "/gate/", "/gate/nginx", "/metrics", "/healthz", "/readyz", "/readyz/")


@pytest.mark.parametrize("kind", KINDS)
async def test_no_spelling_of_the_insides_is_passed_on_by_the_proxy_itself(kind: str) -> None:
    or_skip(kind)
    async with backend() as app, backend() as auth, backend() as admin, proxy(kind, app, auth.port, admin.port) as site:
        host = [("Host", f"login.example.org:{site.port}")]
        for path in (*INSIDE, *(f"/admin{path}" for path in INSIDE)):
            for spelled in (path, f"/{path}", path.replace("a", "%61"), f"/x/..{path}", f"{path}?x=1", f"/.{path}"):
                assert (await site.ask(spelled, host)).status in {400, 404}, spelled
        assert (await site.ask("/admin//healthz", host)).status in {400, 404}
        assert auth.seen == admin.seen == app.seen == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_does_not_number_requests(kind: str) -> None:
    or_skip(kind)
    async with backend() as app, backend() as auth, backend() as admin, proxy(kind, app, auth.port, admin.port) as site:
        host = f"login.example.org:{site.port}"
        for where in (host, site.host):
            for path in ("/login", "/admin"):
                await site.ask(path, [("Host", where), ("X-Request-Id", "forged-number-1")])
        # Of the protected site the gate is asked, which is where audit rows come from.
        assert len(auth.seen) == 3
        assert len(admin.seen) == 1
        for seen in (*auth.seen, *admin.seen):
            numbers = seen.named("X-Request-Id")
            if kind == "traefik":  # which has no numbers: then auth gives one
                assert numbers == []
                continue
            assert len(numbers) == 1, seen
            assert re.fullmatch(r"[0-9a-f-]{32,36}", numbers[0]), seen
