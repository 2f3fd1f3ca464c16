"""The fast listener: three addresses, plain GETs, answers in order, and nothing that it can be talked into."""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from ostiary import serving
from ostiary_auth.fast import listener
from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import Sessions
from tests.auth.fast.doors import Doors, opened, told
from tests.auth.gate.conftest import HOST, Guest, add_guest, add_site

ASK = (
    "GET /gate HTTP/1.1\r\nHost: x\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\n"
    f"X-Forwarded-Host: {HOST}\r\nX-Forwarded-Uri: %s\r\n%s\r\n"
)


@pytest.fixture
async def guest(sessions: Sessions, admin_sessions: Sessions) -> Guest:
    await add_site(admin_sessions)
    return await add_guest(sessions, "bo@example.test", "end-user")


@pytest.fixture
async def doors(guest: Guest, auth_settings: AuthSettings) -> AsyncIterator[Doors]:
    async with opened(auth_settings) as running:
        yield running


def ask(guest: Guest | None = None, uri: str = "/wiki", more: str = "") -> bytes:
    cookie = f"Cookie: ostiary={guest.token}\r\n" if guest else ""
    return (ASK % (uri, cookie + more)).encode()


@contextlib.asynccontextmanager
async def line(doors: Doors) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_unix_connection(doors.place)
        try:
            yield reader, writer
        finally:
            writer.close()


async def test_one_connection_asks_many_times(doors: Doors, guest: Guest) -> None:
    async with line(doors) as (reader, writer):
        for _ in range(3):
            writer.write(ask(guest))
            answer = await told(reader)
            assert answer.status == 200
            assert dict(answer.headers)[b"remote-email"] == b"bo@example.test"


async def test_answers_keep_the_order_of_the_questions(doors: Doors, guest: Guest) -> None:
    """The first has to look into the database, the others do not: they wait for it."""
    async with line(doors) as (reader, writer):
        writer.write(
            ask(guest) + ask(uri="/public") + ask(guest, "/public") + b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        answers = [await told(reader) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 401]
    emails = [dict(answer.headers).get(b"remote-email") for answer in answers[:3]]
    assert emails == [b"bo@example.test", b"", b"bo@example.test"]


async def test_a_question_may_come_a_byte_at_a_time(doors: Doors, guest: Guest) -> None:
    async with line(doors) as (reader, writer):
        for byte in ask(guest):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await told(reader)).status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /gate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /gate?x=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /gate/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://x/gate HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-Uri: /\r\n\r\n",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n",
        b"GET /gate HTTP/1.1\r\nHost: x\r\n folded: x\r\n\r\n",
        b"GET /gate HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /gate HTTP/1.1\r\n\r\n",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
        b"GET /gate HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /gate HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (listener.MAX_HEAD + 10) + b"\r\n\r\n",
    ],
)
async def test_anything_else_is_refused_and_the_connection_closed(doors: Doors, raw: bytes) -> None:
    async with line(doors) as (reader, writer):
        writer.write(raw)
        answer = await reader.read()
    assert answer == listener.BAD


async def test_what_follows_a_refusal_is_not_heard(doors: Doors, guest: Guest) -> None:
    async with line(doors) as (reader, writer):
        writer.write(ask(guest) + b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n" + ask(guest))
        assert (await told(reader)).status == 200
        assert await reader.read() == listener.BAD


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_who_wants_to_go_may(doors: Doors, guest: Guest, version: str) -> None:
    async with line(doors) as (reader, writer):
        writer.write(ask(guest, more="Connection: close\r\n").replace(b"HTTP/1.1", f"HTTP/{version}".encode()))
        assert (await told(reader)).status == 200
        assert await reader.read() == b""


async def test_who_speaks_the_old_version_names_no_host(doors: Doors, guest: Guest) -> None:
    async with line(doors) as (reader, writer):
        writer.write(ask(guest).replace(b"HTTP/1.1\r\nHost: x", b"HTTP/1.0"))
        assert (await told(reader)).status == 200
        assert await reader.read() == b""


async def test_a_websocket_is_judged_and_nothing_upgraded(doors: Doors, guest: Guest) -> None:
    async with line(doors) as (reader, writer):
        writer.write(ask(guest, more="Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        assert (await told(reader)).status == 200
        assert await reader.read() == b""


async def test_too_many_questions_at_once_are_refused(doors: Doors, sessions: Sessions) -> None:
    people = [await add_guest(sessions, f"p{number}@example.test", "end-user") for number in range(3)]
    waiting = listener.MAX_WAITING + 10
    async with line(doors) as (reader, writer):
        writer.write(b"".join(ask(people[number % 3]) for number in range(waiting)))
        raw = await reader.read()
    assert raw.endswith(listener.BAD)
    assert raw.count(b"HTTP/1.1 200") < waiting


async def test_a_head_that_never_ends_is_cut_off(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.5)
    async with line(doors) as (reader, writer):
        writer.write(b"GET /gate HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        while not reader.at_eof() and time.monotonic() < began + 10:
            with contextlib.suppress(ConnectionError):
                writer.write(b"X: y\r\n")  # a little now and then does not help
            await asyncio.sleep(0.1)
        assert await reader.read() == b""
        assert time.monotonic() - began < 5


async def test_a_silent_connection_is_closed(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.2)
    async with line(doors) as (reader, _writer):
        assert await reader.read() == b""


def noises() -> Iterator[bytes]:
    """Questions that were cut, doubled and garbled."""
    dice = random.Random(7)
    for _ in range(300):
        raw = bytearray(ask(None, "/wiki", "Connection: close\r\n"))
        for _ in range(dice.randint(1, 5)):
            place = dice.randrange(len(raw))
            match dice.choice(["cut", "swap", "insert", "double"]):
                case "cut":
                    del raw[place : place + dice.randint(1, 20)]
                case "swap":
                    raw[place] = dice.randrange(256)
                case "insert":
                    raw[place:place] = dice.choice([b"\r\n", b"\0", b" ", b"Cookie: ostiary=x\r\n", b"\r\n\r\n", b":"])
                case "double":
                    raw[place:place] = raw[: dice.randint(1, 60)]
            raw = raw or bytearray(b"\n")
        yield bytes(raw)


async def heard(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], raw: bytes) -> list[int]:
    """The statuses that come back for some bytes, until the other side has nothing more to say."""
    reader, writer = line
    writer.write(raw)
    writer.write_eof()
    said = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        said = await asyncio.wait_for(reader.read(), 3)
    writer.close()
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", said)]


async def test_no_noise_opens_either_door_and_both_judge_it_alike(doors: Doors, guest: Guest) -> None:
    """What the listener takes for a question, the main port answers alike; nothing is 200 for somebody unknown."""
    taken = 0
    main = serving.bind(0, "a port")
    port = main.getsockname()[1]
    async with serving.serving(serving.Site(doors.quick, main)):
        for raw in noises():
            quick = await heard(await asyncio.open_unix_connection(doors.place), raw)
            slow = await heard(await asyncio.open_connection("127.0.0.1", port), raw)
            assert 200 not in {*quick, *slow}, raw
            if quick and set(quick) <= {401, 403}:
                taken += 1
                # The main port knows its proxies by their address, and none is named here.
                assert set(slow) <= {401, 403}, (raw, quick, slow)
    assert taken >= 25
    async with line(doors) as (reader, writer):
        writer.write(ask(guest))
        assert (await told(reader)).status == 200


async def test_two_requests_share_nothing(doors: Doors, guest: Guest, sessions: Sessions) -> None:
    """Refused at once after somebody was let in: opened while the app starts, the listener must not keep a context."""
    other = await add_guest(sessions, "eve@example.test", "end-user")
    async with line(doors) as (reader, writer):
        for _ in range(3):
            writer.write(ask(guest, "/editor/x") + ask(None, "/editor/x") + ask(other, "/audit"))
            statuses = [(await told(reader)).status for _ in range(3)]
            assert statuses == [403, 401, 403]


async def test_who_keeps_a_connection_is_told_with_the_next_answer_that_it_ends(doors: Doors, guest: Guest) -> None:
    """From memory, from the database and from the app alike; then nothing more is heard on it."""
    async with line(doors) as (reader, writer), line(doors) as (other, asking):
        for _ in range(2):
            writer.write(ask(guest))
            assert b"connection" not in dict((await told(reader)).headers)
        doors.quick.extensions["ostiary-health"].ending.set()
        await asyncio.sleep(0.05)
        for heard, said, raw in ((reader, writer, ask(guest)), (other, asking, ask(uri="/editor"))):
            said.write(raw)
            assert dict((await told(heard)).headers)[b"connection"] == b"close"
            assert await heard.read() == b""
    async with line(doors) as (reader, writer):  # who comes now is still answered
        writer.write(ask(guest))
        answer = await told(reader)
        assert (answer.status, dict(answer.headers)[b"connection"]) == (200, b"close")
