"""What happens at every door before and after a view."""

from datetime import timedelta

import pytest
from quart import Quart
from quart.typing import TestClientProtocol as Browser

from ostiary_shared import clock, tokens
from ostiary_shared.identity import Account, HeldRole, Presented, SessionFacts
from ostiary_shared.web.door import keep_doors
from tests.shared.test_access import ID
from tests.shared.web_app import Behind, settings, small_app

TOKEN = tokens.mint("os", tokens.Key((b"k" * 32,))).value
PROXIED = {"client": ("127.0.0.1", 40000)}


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def client(behind: Behind) -> Browser:
    return small_app(behind).test_client()


def let_in(behind: Behind, *permissions: str) -> None:
    now = clock.now()
    session = SessionFacts(ID, 1, ("password",), now, now, now, now + timedelta(hours=1), timedelta(hours=1), None, "")
    role = HeldRole("clerk", frozenset(permissions), now, "ada@example.test")
    behind.presented = Presented(True, session, Account(ID, "bo@example.test", "Bo", now, None, "", None, (role,)))


async def test_an_undeclared_route_stops_the_start() -> None:
    app = Quart("x", static_folder=None)

    @app.get("/forgotten")
    async def forgotten() -> str:
        return ""

    with pytest.raises(RuntimeError, match="forgotten"):
        keep_doors(app)


async def test_a_signed_out_page_visitor_is_sent_to_sign_in_and_back(client: Browser, behind: Behind) -> None:
    answer = await client.get("/mine?a=b&c=d")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=%2Fmine%3Fa%3Db%26c%3Dd"
    assert behind.refusals == []


async def test_a_signed_out_program_gets_a_problem_with_a_reference(client: Browser) -> None:
    answer = await client.get("/api/people")
    body = await answer.get_json()
    assert (answer.status_code, body["code"], body["reference"]) == (401, "unauthenticated", "CODE-1234")
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_person_without_the_permission_is_told_so_with_a_code(client: Browser, behind: Behind) -> None:
    let_in(behind)
    answer = await client.get("/api/people", headers={"Authorization": f"Bearer {TOKEN}"})
    body = await answer.get_json()
    assert (answer.status_code, body["code"], body["reference"]) == (403, "forbidden", "CODE-1234")
    assert behind.refusals[0].decision.account is not None


async def test_a_person_with_the_permission_comes_in(client: Browser, behind: Behind) -> None:
    let_in(behind, "users:read")
    answer = await client.get("/api/people", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, await answer.get_json()) == (200, "bo@example.test")


async def test_a_token_of_the_wrong_form_is_never_looked_up(client: Browser, behind: Behind) -> None:
    let_in(behind, "users:read")
    for garbage in ("", "x", "os_short", TOKEN + "a", TOKEN[:-1] + "!", "Basic"):
        answer = await client.get("/api/people", headers={"Authorization": f"Bearer {garbage}"})
        assert answer.status_code == 401


FORGED = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "http://localhost.evil.example"},
    # Browsers attach a cached Basic sign-in by themselves.
    {"Sec-Fetch-Site": "cross-site", "Authorization": "Basic dTpw"},
    {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer not-ours"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {TOKEN}"},
]


@pytest.mark.parametrize("headers", FORGED)
async def test_a_request_forged_by_another_site_does_nothing(
    client: Browser, behind: Behind, headers: dict[str, str]
) -> None:
    answer = await client.post("/act", headers={**headers, "Accept": "application/json"})
    assert (answer.status_code, (await answer.get_json())["code"]) == (403, "cross_site")
    assert behind.counted == []


@pytest.mark.parametrize("headers", OWN)
async def test_our_own_pages_and_programs_may_act(client: Browser, headers: dict[str, str]) -> None:
    assert (await client.post("/act", headers=headers)).status_code == 200


async def test_a_limit_is_counted_per_network_and_answers_when_to_come_back(client: Browser, behind: Behind) -> None:
    behind.wait = 90
    answer = await client.post(
        "/act",
        scope_base={"client": ("127.0.0.1", 1)},
        headers={"X-Forwarded-For": "2001:db8:1:2::7", "Accept": "application/json"},
    )
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "90"
    assert "2 minutes" in (await answer.get_json())["detail"]
    assert behind.counted == ["net:act:2001:db8:1:2::/64"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # a stranger claims to be somebody else
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the left part is the client's own invention
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "garbage", "nowhere"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ],
)
async def test_an_address_is_believed_from_trusted_proxies_only(
    client: Browser, peer: str, forwarded: str, seen: str
) -> None:
    answer = await client.get("/open", scope_base={"client": (peer, 1)}, headers={"X-Forwarded-For": forwarded})
    assert await answer.get_data(as_text=True) == seen


async def test_a_proxys_own_line_counts_below_the_clients(client: Browser) -> None:
    answer = await client.get(
        "/open",
        scope_base={"client": ("127.0.0.1", 1)},
        headers=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")],
    )
    assert await answer.get_data(as_text=True) == "203.0.113.9"


async def test_a_crash_tells_a_reference_and_no_secret(client: Browser) -> None:
    client.app.testing = False
    client.app.config["PROPAGATE_EXCEPTIONS"] = False
    for accept in ("text/html", "application/json"):
        answer = await client.get("/crash", headers={"Accept": accept})
        assert answer.status_code == 500
        assert "secret of ours" not in await answer.get_data(as_text=True)


async def test_a_database_that_is_away_answers_503_and_when_to_come_back(client: Browser) -> None:
    client.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = await client.get("/away")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/open", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/open", 405),
        ("GET", "/mine", 303),
        ("GET", "/api/people", 401),
        ("GET", "/healthz", 200),
        ("GET", "/openapi.json", 200),
    ],
)
async def test_every_answer_carries_the_headers(client: Browser, method: str, path: str, status: int) -> None:
    ask = client.get if method == "GET" else client.delete
    answer = await ask(path)
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


async def test_https_gets_hsts_and_host_bound_cookies(behind: Behind) -> None:
    client = small_app(behind, settings(OSTIARY_PUBLIC_URL="https://door.example")).test_client()
    answer = await client.post("/act", scheme="https")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    # An answer to a proxy's question is served on the host of the protected site.
    asked = await client.get("/open", scheme="https", headers={"X-Forwarded-Uri": "/"})
    assert "Strict-Transport-Security" not in asked.headers
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-ostiary-notes=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))


async def test_an_asset_is_kept_for_good_and_only_under_its_own_name(client: Browser) -> None:
    from ostiary_shared import theme

    answer = await client.get(f"/assets/{theme.asset_name('base.css')}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    for name in ("base.css", "base.00000000.css", "..%2f..%2fsettings.py", "%2e%2e"):
        assert (await client.get(f"/assets/{name}")).status_code == 404


async def test_readiness_tells_its_reason(behind: Behind) -> None:
    async def trouble() -> str:
        return "the cellar is flooded"

    answer = await small_app(behind, ready=trouble).test_client().get("/readyz")
    assert (answer.status_code, (await answer.get_json())["reason"]) == (503, "the cellar is flooded")
