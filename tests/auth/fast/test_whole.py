"""A question in one piece is answered as if it had come bit by bit, whoever asked in the same form before."""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator

import pytest

from ostiary_auth.fast import whole
from ostiary_auth.fast.ask import Ask
from ostiary_auth.fast.whole import Whole
from ostiary_shared.database import Sessions
from ostiary_shared.models import SiteRule
from ostiary_shared.store import sites
from ostiary_shared.work import Caller, open_work
from tests.auth.fast.doors import PROXY, STRANGER, Doors, told
from tests.auth.gate.conftest import HOST, Guest

FORM = (
    f"GET /gate HTTP/1.1\r\nHost: x\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: {HOST}"
    "\r\nX-Forwarded-Uri: %s\r\nX-Request-Id: %s\r\nCookie: theme=dark; ostiary=%s; lang=en\r\nAccept: */*\r\n\r\n"
)
SHORT = "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nCookie: ostiary=%s\r\n\r\n"


def asking(token: str, uri: str = "/wiki", number: int = 0) -> bytes:
    return (FORM % (uri, f"{number:032x}", token)).encode()


async def status(doors: Doors, raw: bytes, cut: int = 0) -> int:
    """What the listener answers, asked in one piece or in two; 0 if it hangs up."""
    reader, writer = await asyncio.open_unix_connection(doors.place)
    try:
        if cut:
            writer.write(raw[:cut])
            await asyncio.sleep(0.003)
        writer.write(raw[cut:])
        async with asyncio.timeout(20):
            return (await told(reader)).status
    except asyncio.IncompleteReadError:
        return 0
    finally:
        writer.close()


def answered(doors: Doors, raw: bytes, peer: str = PROXY) -> bytes | Ask | None:
    return doors.whole.answer(raw, time.monotonic(), peer, trusted=peer == PROXY)


async def test_a_form_that_comes_again_is_read_no_more_whoever_asks_and_whatever_its_id(
    doors: Doors, guests: list[Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[bytes] = []
    read = Whole._read

    def counted(self: Whole, data: bytes, peer: str | None, *, trusted: bool) -> Ask | None:
        reads.append(data)
        return read(self, data, peer, trusted=trusted)

    monkeypatch.setattr(Whole, "_read", counted)
    for number in range(6):
        said = answered(doors, asking(guests[number % 2].token, number=number))
        assert isinstance(said, bytes)
        assert guests[number % 2].user.email.encode() in said
    assert len(reads) == 2


def odd_tokens(guest: Guest) -> Iterator[str]:
    """What may stand where a token stands: made up, cut, or a piece of a head."""
    dice = random.Random(11)
    pieces = ["; ", "\r\n", "=", "os_", "ostiary=", "\t", ",", "%", "ü", "\0", "Cookie: ostiary=", "\r\n\r\n", " "]
    for _ in range(120):
        letters = list(guest.token)
        for _ in range(dice.randint(1, 4)):
            place, piece = dice.randrange(3, len(letters)), dice.choice(pieces)
            letters[place : place + dice.choice([0, len(piece)])] = piece
        yield "".join(letters)
    yield guest.token + "x"
    yield guest.token + " "
    yield guest.token[:-1]
    yield f"{guest.token}; ostiary={guest.token}"
    yield f'"{guest.token}"'


async def test_what_stands_in_the_place_of_a_token_is_read_as_ever(doors: Doors, guests: list[Guest]) -> None:
    """The form is known; what is asked in one piece is compared with what a parser of its own makes of two."""
    seen: set[int] = set()
    for _ in range(2):
        assert isinstance(answered(doors, asking(guests[1].token)), bytes)
    for token in odd_tokens(guests[0]):
        raw = asking(token)
        at_once, by_parser = await status(doors, raw), await status(doors, raw, 30)
        assert at_once == by_parser, raw
        seen.add(at_once)
    assert seen >= {200, 302, 400} or seen >= {200, 401, 400}, seen


async def test_an_id_that_is_none_is_read_as_ever(doors: Doors, guests: list[Guest]) -> None:
    for _ in range(2):
        assert isinstance(answered(doors, asking(guests[0].token)), bytes)
    plain = f"{0:032x}"
    for odd in ("", "a b", "a\r\nX-Forwarded-Uri: /editor/x", "a\nX-Forwarded-Uri: /editor/x", "\x00", "é"):
        raw = asking(guests[0].token).replace(plain.encode(), odd.encode("latin-1"))
        assert await status(doors, raw) == await status(doors, raw, 30), odd


async def test_rules_that_change_count_at_once(doors: Doors, guests: list[Guest], admin_sessions: Sessions) -> None:
    for number in range(3):
        assert await status(doors, asking(guests[0].token, number=number)) == 200
    async with open_work(admin_sessions, tools=None, caller=Caller()) as work:
        site = await sites.at(work.session, HOST)
        assert site is not None
        rule = SiteRule(path_prefix="/", methods=[], asks="role", value="editor")
        await sites.replace_rules(work.session, site.id, [rule])
    assert await status(doors, asking(guests[0].token, number=9)) == 403


async def test_what_strangers_ask_pushes_out_nothing(
    doors: Doors, guests: list[Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = doors.whole._of_known
    for _ in range(2):
        assert answered(doors, asking(guests[0].token))
    before = dict(known)
    assert before
    for number in range(150):
        assert await status(doors, asking("", f"/public/{number}")) == 200
        for token in ("", "", "os_" + "x" * 55, "os_" + "y" * 55):
            answered(doors, asking(token, f"/public/{number}"))
    assert dict(known) == before
    assert len(doors.whole._of_others) > 100


async def test_who_is_no_proxy_is_told_nothing_that_one_is_told(doors: Doors, guests: list[Guest]) -> None:
    raw = asking(guests[0].token)
    for _ in range(3):
        assert isinstance(answered(doors, raw), bytes)
    assert not isinstance(answered(doors, raw, STRANGER), bytes)
    asked = (SHORT % guests[0].token).encode()
    assert await status(doors, asked) == 200
    assert isinstance(answered(doors, asked, STRANGER), bytes)  # a session's own bearer may ask who they are


@pytest.mark.parametrize(
    "more", ["X-Forwarded-Uri: /wiki?x=%s", "Authorization: Bearer %s", "Cookie: y=%s", "Referer: /?ostiary=%s"]
)
async def test_a_token_elsewhere_is_not_taken_for_the_one_that_counts(
    doors: Doors, guests: list[Guest], more: str
) -> None:
    mine, other = (guest.token for guest in guests)
    head, line = asking(mine), (more % other).encode()
    name = line.partition(b":")[0]
    lines = [each for each in head.split(b"\r\n") if name == b"Cookie" or not each.startswith(name)]
    raw = b"\r\n".join([lines[0], line, *lines[1:]])
    expected = guests[1] if more.startswith("Authorization") else guests[0]
    for _ in range(3):
        said = answered(doors, raw)
        assert isinstance(said, Ask) or expected.user.email.encode() in (said or b"")
        assert await status(doors, raw) == 200


@pytest.mark.parametrize(
    "change",
    [
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"GET", b"POST"),
        (b"/gate ", b"/gate?x "),
        (b"Host: x\r\n", b""),
        (b"Host: x\r\n", b"Host: x\r\nHost: y\r\n"),
        (b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"),
        (b"Host: x\r\n", b"Host: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"),
        (b"Host: x\r\n", b"Host: x\r\nContent-Length: 3\r\n"),
        (b"Host: x\r\n", b"Host: x\r\nTransfer-Encoding: chunked\r\n"),
        (b"Host: x\r\n", b"Host: x\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(101))),
        (b"Host: x\r\n", b"Host: x\r\nX: " + b"x" * whole.LONGEST + b"\r\n"),
        (b"\r\n\r\n", b"\r\n\r\nGET /gate HTTP/1.1\r\n"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
async def test_everything_odd_is_left_to_others(doors: Doors, guests: list[Guest], change: tuple[bytes, bytes]) -> None:
    """Also a second time, and the next plain question is answered again."""
    raw = asking(guests[0].token).replace(*change, 1)
    for _ in range(2):
        assert answered(doors, raw) is None
        assert isinstance(answered(doors, asking(guests[0].token)), bytes)


async def test_answers_come_in_order_when_pieces_follow_whole_questions(doors: Doors, guests: list[Guest]) -> None:
    reader, writer = await asyncio.open_unix_connection(doors.place)
    with contextlib.closing(writer):
        raw = [asking(guest.token, number=number) for number, guest in enumerate(guests * 10)]
        dice = random.Random(5)
        for question in raw:
            cut = dice.choice([0, 0, dice.randrange(1, len(question))])
            writer.write(question[:cut])
            await asyncio.sleep(dice.choice([0, 0.001]))
            writer.write(question[cut:])
        emails = [dict((await told(reader)).headers)[b"remote-email"] for _ in raw]
    assert emails == [guest.user.email.encode() for guest in guests * 10]
