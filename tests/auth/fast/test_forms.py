"""What was learned from one question is never said to another: tokens count where they count, and questions end."""

import asyncio
import contextlib
import time

import pytest

from ostiary_auth.fast import whole
from ostiary_auth.fast.ask import Ask
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.store import sessions as session_rows
from ostiary_shared.store import site_sessions
from ostiary_shared.tokens import derive
from tests.auth.fast.doors import PROXY, Doors, told
from tests.auth.gate.conftest import HOST, Guest
from tests.conftest import AUTH_SECRET

MADE_UP = "os_" + "y" * 55

GATE = (
    f"GET /gate HTTP/1.1\r\nHost: x\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: {HOST}"
    "\r\nX-Forwarded-Uri: %s\r\n%s\r\n"
)
SHORT = "GET /api/v1/session HTTP/1.1\r\nHost: x\r\n%s\r\n"


def cookie(token: str) -> str:
    return f"Cookie: ostiary={token}\r\n"


def gate(uri: str, lines: str = "") -> bytes:
    return (GATE % (uri, lines)).encode()


async def said(doors: Doors, *pieces: bytes) -> tuple[int, bytes, bytes]:
    """Status, e-mail address and way out that the listener tells; nothing if it hangs up."""
    reader, writer = await asyncio.open_unix_connection(doors.place)
    with contextlib.closing(writer):
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.003 if len(pieces) > 1 else 0)
        try:
            async with asyncio.timeout(20):
                answer = await told(reader)
        except asyncio.IncompleteReadError:
            return 0, b"", b""
    found = dict(answer.headers)
    return answer.status, found.get(b"remote-email", b""), found.get(b"location", b"")


async def site_token(sessions: Sessions, guest: Guest) -> str:
    """A token of theirs that counts at one site alone."""
    token = tokens.mint(tokens.SITE, derive((AUTH_SECRET,), "site session"))
    async with sessions.begin() as session:
        [row] = await session_rows.living(session, guest.user.id, clock.now())
        assert await site_sessions.begin(session, row.id, HOST, token.digest, clock.now())
    return token.value


async def test_the_cookie_of_one_site_tells_nobody_whose_it_is(
    doors: Doors, guests: list[Guest], sessions: Sessions
) -> None:
    """The session's own door takes no such cookie: neither before nor after one was refused there."""
    token = await site_token(sessions, guests[0])
    at_site = f"Cookie: ostiary-site={token}\r\n"
    assert await said(doors, gate("/wiki", at_site)) == (200, guests[0].user.email.encode(), b"")
    for _ in range(5):
        assert (await said(doors, (SHORT % at_site).encode()))[0] == 401


@pytest.mark.parametrize(
    "where",
    [
        "Cookie: other=%s\r\n",
        "Cookie: ostiary= %s\r\n",
        "Cookie: x; %s\r\n",
        "Referer: %s\r\n",
        "Referer: https://x/?a=%s\r\n",
        "X-Anything: %s\r\n",
        "Authorization: Basic %s\r\n",
        "Proxy-Authorization: Bearer %s\r\n",
        "Authorization: Bearer x\r\nAuthorization: Bearer %s\r\n",
        "Cookie: ostiary=os_x; ostiary=%s\r\n",
        "Cookie: ostiary=%s; ostiary=os_x\r\n",
    ],
)
async def test_a_token_opens_nothing_where_it_does_not_count(doors: Doors, guests: list[Guest], where: str) -> None:
    """A stranger asks first, so that what they asked is known; then somebody with a good token in that place."""
    for uri in ("/public", "/wiki"):
        for token in [MADE_UP] * 4 + [guests[0].token] * 3:
            raw = gate(uri, where % token)
            assert await said(doors, raw) == await said(doors, raw[:30], raw[30:]), (uri, token)


async def test_a_token_in_an_address_stays_there(doors: Doors, guests: list[Guest]) -> None:
    """It is nobody's credential, and nobody else is sent to the address that somebody asked for."""
    for letter in "abcd":
        status, email, location = await said(doors, gate(f"/wiki?a=os_{letter * 55}", "Accept: text/html\r\n"))
        assert (status, email) == (302, b"")
        assert (letter * 55).encode() in location
    for _ in range(5):
        assert (await said(doors, gate(f"/wiki?a={guests[0].token}", "Accept: text/html\r\n")))[0] == 302


async def test_a_bearer_goes_before_a_cookie_however_often(doors: Doors, guests: list[Guest]) -> None:
    ada, bo = guests
    for bearer, kept in [(ada, ada)] * 3 + [(ada, bo)] * 3 + [(bo, bo)] * 3 + [(bo, ada)] * 3:
        lines = cookie(kept.token) + f"Authorization: Bearer {bearer.token}\r\n"
        assert (await said(doors, gate("/wiki", lines)))[1] == bearer.user.email.encode()


async def test_of_two_tokens_in_one_head_the_one_that_counts_is_heard(
    doors: Doors, guests: list[Guest], sessions: Sessions
) -> None:
    ada, bo = guests
    at_site = await site_token(sessions, ada)
    for _ in range(5):
        lines = f"Cookie: ostiary-site={at_site}; ostiary={bo.token}\r\n"
        assert (await said(doors, gate("/wiki", lines)))[1] == bo.user.email.encode()
        lines = f"Cookie: other={bo.token}; ostiary-site={at_site}\r\n"
        assert (await said(doors, gate("/wiki", lines)))[1] == ada.user.email.encode()


@pytest.mark.parametrize("short", ["os_", "os_x", "os_" + "x" * 50])
async def test_a_question_that_is_not_complete_is_not_answered(doors: Doors, guests: list[Guest], short: str) -> None:
    """Nor when one was whole that was as long, with less of a token at its end."""
    for _ in range(5):
        await said(doors, gate("/public", cookie(short)))
    for token in ("os_", short, guests[0].token):
        begun = gate("/public", cookie(token)).removesuffix(b"\r\n\r\n")
        answer = doors.whole.answer(begun, time.monotonic(), PROXY, trusted=True)
        assert not isinstance(answer, bytes), begun


async def test_a_question_in_the_middle_of_another_is_none(doors: Doors, guests: list[Guest]) -> None:
    """One and a part of the next come together; what follows belongs to that one, whatever it looks like."""
    raw = gate("/wiki", cookie(guests[0].token))
    begun = b"GET /gate HTTP/1.1\r\nX-Forwarded-Uri: /public\r\nX-Odd: "
    by_parser = await said(doors, begun + raw)
    assert by_parser[0] != 200  # the address is there twice
    reader, writer = await asyncio.open_unix_connection(doors.place)
    with contextlib.closing(writer):
        for piece, status in ((raw + begun, 200), (raw, by_parser[0])):
            writer.write(piece)
            async with asyncio.timeout(20):
                assert (await told(reader)).status == status


async def test_a_question_as_long_as_no_other_is_read_as_ever(doors: Doors, guests: list[Guest]) -> None:
    """Its form is known; that it is too long shows before that."""

    def answered(length: int) -> bytes | Ask | None:
        raw = gate("/wiki", f"X-Request-Id: {'a' * length}\r\n" + cookie(guests[0].token))
        return doors.whole.answer(raw, time.monotonic(), PROXY, trusted=True)

    for _ in range(3):
        assert isinstance(answered(10), bytes)
    assert answered(whole.LONGEST) is None
