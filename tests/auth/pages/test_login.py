"""The sign-in page: in, on to where one wanted, and the same words for everybody else."""

import re

import pytest
from sqlalchemy import text

from ostiary_auth import limits
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import Desk
from ostiary_shared.database import Sessions
from tests.auth import people
from tests.auth.browser import Client, body, cookies, sign_in, words
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG

# What an attacker writes after `next=`; none may lead off our own origin.
TRAPS = [
    "//evil.test",
    "///evil.test",
    "////evil.test/x",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/\r\nLocation: https://evil.test",
    "https://evil.test",
    "HTTPS://evil.test",
    "https:evil.test",
    "https:/evil.test",
    "http:///evil.test",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//user@evil.test",
    "https://localhost@evil.test",
    "https://localhost:80@evil.test",
    "https://evil.test\\@localhost",
    "https://localhost.evil.test",
    "https://evil.test#@localhost",
    "https://evil.test?localhost",
    " //evil.test",
    "\t//evil.test",
    "\x00//evil.test",
    "//evil。test",
    "//evil%E3%80%82test",
    "https://①②③.test",
    "//2130706433",
    "https://[::1]",
    "ftp://localhost",
    "evil.test",
    "evil",
    "?next=//evil.test",
    "#x",
    "/\u2028/evil.test",
    "/ /evil.test",
    "blob:https://evil.test/x",
    "///",
    "//",
    "\\",
    "/\\/evil.test",
    "/\\\\evil.test",
    "https://localhost%00.evil.test",
    "https://localhost%2eevil.test",
    "x" * 3000,
]


@pytest.mark.parametrize("wanted", TRAPS)
async def test_nobody_is_sent_to_a_place_that_is_not_ours(auth: Client, desk: Desk, wanted: str) -> None:
    await people.person(desk)
    answer = await sign_in(auth, next=wanted)
    assert answer.status_code in {303, 422}
    assert answer.headers.get("Location", "/account") == "/account"
    assert (await auth.get("/login", query_string={"next": wanted})).headers.get("Location", "/account") == "/account"


@pytest.mark.parametrize(
    "wanted", ["/account/sessions", "/admin/users?q=a&sort=name", "/denied/ABCD-EFGH", "/a//b", "/%2F%2Fevil.test"]
)
async def test_a_page_of_ours_is_kept_through_signing_in(auth: Client, desk: Desk, wanted: str) -> None:
    await people.person(desk)
    page = await body(await auth.get("/login", query_string={"next": wanted}))
    assert f'name="next" value="{wanted}"' in page
    refused = await body(await sign_in(auth, password=WRONG, next=wanted))
    assert f'name="next" value="{wanted}"' in refused
    assert (await sign_in(auth, next=wanted)).headers["Location"] == wanted
    assert (await auth.get("/login", query_string={"next": wanted})).headers["Location"] == wanted


@pytest.mark.parametrize("wanted", ["/login", "/login?next=/login", "/logout", "/", "/recover/reset?token=x"])
async def test_pages_that_lead_nowhere_are_no_destination(auth: Client, desk: Desk, wanted: str) -> None:
    await people.person(desk)
    assert (await sign_in(auth, next=wanted)).headers["Location"] == "/account"


async def test_a_registered_site_is_gone_back_to_and_the_form_may_end_there(
    auth: Client, desk: Desk, admin_sessions: Sessions
) -> None:
    await people.person(desk)
    async with admin_sessions.begin() as session:
        await session.execute(
            text("INSERT INTO sites (name, host) VALUES ('wiki', 'localhost:9000'), ('far', 'far.test')")
        )
    wanted = "http://localhost:9000/editor/?a=1"
    page = await auth.get("/login", query_string={"next": wanted})
    assert "form-action 'self' http://localhost:9000;" in page.headers["Content-Security-Policy"]
    assert "localhost:9000" in await words(page)
    assert (await sign_in(auth, next=wanted)).headers["Location"] == wanted
    away = await auth.get("/login", query_string={"next": "http://far.test/"})
    assert away.headers["Location"] == "http://far.test/.ostiary/sign-in?next=%2F"


async def test_every_refusal_is_the_same_page(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    await people.person(desk, "bob@example.test", confirmed=False)
    pages = []
    for email in (ADA, "bob@example.test", "eve@example.test"):
        answer = await sign_in(auth, email, WRONG)
        ours = {"content-length", "date", "x-request-id"}
        headers = sorted((name, value) for name, value in answer.headers.items() if name.lower() not in ours)
        pages.append((answer.status_code, headers, (await body(answer)).replace(email, "…")))
    assert pages[0] == pages[1] == pages[2]
    assert pages[0][0] == 422


async def test_too_many_guesses_are_told_when_to_come_back(auth: Client, desk: Desk) -> None:
    for _ in range(limits.PASSWORD_GUESSES.count):
        await sign_in(auth, "nobody@example.test", WRONG)
    answer = await sign_in(auth, "nobody@example.test", WRONG)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "minute" in await words(answer)


async def test_the_page_never_repeats_a_password(auth: Client) -> None:
    assert OTHER not in await body(await sign_in(auth, "nobody@example.test", OTHER))
    answer = await auth.post("/login", form={"email": ADA, "password": OTHER, "nonsense": "x"})
    assert OTHER not in await body(answer)
    assert "There is no such field" in await words(answer)


async def test_an_unconfirmed_person_is_told_what_to_do(auth: Client, desk: Desk) -> None:
    await auth.post("/signup", form={"email": ADA, "password": PASSWORD})
    answer = await sign_in(auth)
    assert answer.status_code == 403
    assert "Confirm your address first" in await words(answer)


async def test_who_is_asked_to_sign_in_again_finds_their_address_typed(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    assert "Create an account" in await body(await auth.get("/login"))
    await sign_in(auth)
    page = await body(await auth.get("/login?again=1"))
    assert f'value="{ADA}"' in page
    assert "Create an account" not in page
    assert "that it is still you." in page


async def test_signing_in_again_makes_a_new_token_and_ends_the_old(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    first = cookies(await sign_in(auth))["ostiary"]
    second = cookies(await sign_in(auth))["ostiary"]
    assert first.split(";")[0] != second.split(";")[0]
    assert await people.rows(desk, "SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(1,)]


async def test_the_cookie_ends_with_the_browser_unless_asked_to_stay(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    assert "Max-Age" not in cookies(await sign_in(auth))["ostiary"]
    kept = cookies(await sign_in(auth, remember="1"))["ostiary"]
    assert "Max-Age" in kept
    for mark in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert mark in kept


async def test_over_https_cookies_hold_to_their_host(database: object, auth_settings: AuthSettings, desk: Desk) -> None:
    await people.person(desk)
    app = create_app(auth_settings.model_copy(update={"public_url": "https://login.example.test"}))
    async with app.test_app() as running:
        answer = await running.test_client().post("/login", form={"email": ADA, "password": PASSWORD}, scheme="https")
        for name, line in cookies(answer).items():
            assert re.match(r"__Host-ostiary(-device|-notes)?$", name)
            assert "Secure" in line
            assert "Domain" not in line


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}]
)
@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/logout",
        "/signup",
        "/signup/resend",
        "/signup/confirm",
        "/recover",
        "/recover/reset",
        "/claim",
        "/invitation",
        "/account",
        "/account/password",
        "/account/email",
        "/account/email/confirm",
        "/account/sessions/end-others",
    ],
)
async def test_no_form_works_from_another_site(auth: Client, desk: Desk, path: str, headers: dict[str, str]) -> None:
    await people.person(desk)
    await sign_in(auth)
    answer = await auth.post(path, form={"email": ADA, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert await people.rows(desk, "SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(1,)]


@pytest.mark.parametrize("path", ["/login", "/signup", "/recover/reset"])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"email=a%40b.test&password=" + b"x" * 1024 * 1024, 413),
        (b"email=a%40b.test&password=" + b"x" * 2000, 422),
        (b"email=a%00b%40c.test&password=quiet+harbour+lamp+77", 422),
        (b"email=a%40b.test&password=quiet%00harbour+lamp+77", 422),
        (b"email=a%40b.test&password=quiet%FFharbour+lamp+77", 422),
        (b"email=a%40b.test&email=c%40d.test&password=quiet+harbour+lamp+77", 422),
        (b"email=\xff\xfe&password=\xff", None),
        (b"", 422),
    ],
)
async def test_bad_bodies_get_a_clear_answer(auth: Client, path: str, data: bytes, status: int | None) -> None:
    answer = await auth.post(path, data=data, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == status or (status is None and 400 <= answer.status_code < 500)


async def test_a_form_in_another_format_is_refused(auth: Client) -> None:
    answer = await auth.post("/login", data=b'{"email": "x"}', headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


async def test_the_front_page_shows_the_way(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    assert (await auth.get("/")).headers["Location"] == "/login"
    await sign_in(auth)
    assert (await auth.get("/")).headers["Location"] == "/account"


async def test_signing_out_ends_the_session_everywhere_and_twice_is_fine(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    token = cookies(await sign_in(auth))["ostiary"].split(";")[0].partition("=")[2]
    for _ in range(2):
        assert (await auth.post("/logout")).headers["Location"] == "/login"
    answer = await auth.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert (await auth.get("/logout")).status_code == 405
