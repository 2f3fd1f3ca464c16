"""What our own ports bear when no proxy shields them: every part of a request, and every client, has its bounds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from ostiary import guarded, serving
from ostiary_shared import crowd
from tests.lines import PATIENCE, ended, lines
from tests.system.test_serving import app, get, said

KEPT = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "SWEEP_SECONDS", 0.05)


@contextlib.asynccontextmanager
async def served(on: serving.App, most: int = crowd.MOST) -> AsyncIterator[int]:
    listener = serving.bind(0, "--port")
    async with serving.serving(serving.Site(on, listener, None, most)):
        yield listener.getsockname()[1]


async def reading(scope: object, receive: object, send: object) -> None:
    """An app that reads bodies to the end, and says how long they were."""
    size, more = 0, True
    while more:
        message = await receive()  # type: ignore[operator]
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    text = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": text})  # type: ignore[operator]


@pytest.mark.parametrize("wanted", [True, False], ids=["that is read", "that nobody reads"])
async def test_a_body_that_drips_is_cut_off_in_all_its_time(wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "BODY_SECONDS", 0.4)
    async with served(reading if wanted else app("auth")) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        gone = asyncio.create_task(ended(reader))
        async with asyncio.timeout(PATIENCE):
            while not gone.done():  # never idle for long, so that only a limit to the whole ends it
                writer.write(b"x")
                await asyncio.sleep(0.05)
        assert (await gone).startswith(b"" if wanted else b"HTTP/1.1 200 ")


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_without_end_is_not_kept(chunked: bool) -> None:
    """Here the app keeps it, as Quart does from 0.23 on."""
    piece = b"x" * 60_000
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {1000 * len(piece)}"
    async with served(reading) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(f"POST / HTTP/1.1\r\nHost: localhost\r\n{how}\r\n\r\n".encode())
        sent = 0
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while not reader.at_eof() and sent < 1000:
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                    await writer.drain()
                    sent += 1
        assert sent < 1000
    async with served(reading) as port:
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{how}\r\n\r\n".encode()
        whole = b"%x\r\n%b\r\n" % (guarded.BODY_BYTES + 1, b"x" * (guarded.BODY_BYTES + 1))
        assert (await said(port, head, whole)).startswith(b"HTTP/1.1 413 ")


CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_what_a_client_says_behind_its_body_is_no_header() -> None:
    """HAProxy hands it on; with uvicorn it came to stand behind what the proxy says of the client's address."""
    heard: list[tuple[bytes, bytes]] = []

    async def hearing(scope: dict[str, list[tuple[bytes, bytes]]], receive: object, send: object) -> None:
        await reading(scope, receive, send)
        heard.extend(scope["headers"])

    async with served(hearing) as port:
        behind = b"1\r\na\r\n0\r\nX-Forwarded-For: 203.0.113.7\r\nCookie: a=b\r\n\r\n"
        for pieces in ((CHUNKED + behind + get("/"),), (CHUNKED, behind, get("/"))):
            heard.clear()
            assert (await said(port, *pieces)).count(b"HTTP/1.1 200 ") == 2
            assert [value for name, value in heard if name == b"x-forwarded-for"] == [b"192.0.2.1"]
            assert b"cookie" not in dict(heard)


@pytest.mark.parametrize("around", [b"1;" + b"x" * 1000, b"0\r\nX-" + b"a" * 1000], ids=["chunks", "the last chunk"])
async def test_what_stands_around_a_body_without_end_is_not_kept(around: bytes) -> None:
    async with served(reading) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(CHUNKED + around)
        sent = 0
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while not reader.at_eof() and sent < 50 * guarded.AROUND_BYTES:
                    writer.write(b"x" * 60_000)
                    await writer.drain()
                    sent += 60_000
        assert sent < 50 * guarded.AROUND_BYTES


async def test_a_body_that_comes_in_time_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "BODY_SECONDS", 5)
    async with served(reading) as port:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nConnection: close\r\n\r\n"
        assert (await said(port, head, b"abc", b"def", pause=0.3)).endswith(b"\r\n\r\n6")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/" + "a" * guarded.URL_BYTES, "", b"414"),
        ("/" + "a" * (guarded.URL_BYTES - 1), "", b"200"),
        ("/", "".join(f"X-{number}: y\r\n" for number in range(guarded.HEADER_LINES)), b"431"),
        ("/", "".join(f"X-{number}: y\r\n" for number in range(guarded.HEADER_LINES - 10)), b"200"),
    ],
    ids=["long address", "still well", "many headers", "still few"],
)
async def test_addresses_and_the_number_of_headers_have_limits(path: str, headers: str, status: bytes) -> None:
    async with served(app("auth")) as port:
        assert (await said(port, get(path, headers))).startswith(b"HTTP/1.1 %s " % status)


async def test_a_bomb_of_requests_at_once_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def counting(scope: object, receive: object, send: object) -> None:
        asked.append("one")
        await app("auth", seconds=0.02)(scope, receive, send)

    async with served(counting) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(KEPT * 500)
        await ended(reader)
    assert len(asked) <= guarded.PIPELINED + 2
    async with served(counting) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(KEPT * (guarded.PIPELINED - 1) + get("/"))
        assert (await ended(reader)).count(b"HTTP/1.1 200 ") == guarded.PIPELINED


async def test_who_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "UNREAD_SECONDS", 0.4)
    finished = asyncio.Event()

    async def talkative(scope: object, receive: object, send: object) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
            for _ in range(1000):
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})  # type: ignore[operator]
        finally:
            finished.set()

    async with served(talkative) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(KEPT)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.wait_for(finished.wait(), PATIENCE)


async def test_beyond_the_limit_whoever_kept_us_waiting_for_longest_goes() -> None:
    async with served(app("auth"), most=10) as port, lines(port, 10) as held:
        first, second, *_ = held
        first[1].write(KEPT)  # the oldest connection, and not the one that is silent for longest
        assert (await first[0].readuntil(b"auth")).startswith(b"HTTP/1.1 200 ")
        async with lines(port, 1) as [(reader, writer)]:
            assert await ended(second[0]) == b""
            for line in (first, (reader, writer)):
                line[1].write(KEPT)
                assert (await line[0].readuntil(b"auth")).startswith(b"HTTP/1.1 200 ")


async def test_whoever_waits_for_us_is_never_sent_away() -> None:
    async with served(app("auth", seconds=1.0), most=5) as port, lines(port, 5) as held:
        for _, writer in held:
            writer.write(KEPT)
        await asyncio.sleep(0.3)
        async with lines(port, 1) as [(reader, _)]:
            assert await ended(reader) == b""
        for reader, _ in held:
            assert (await reader.readuntil(b"auth")).startswith(b"HTTP/1.1 200 ")


async def test_a_crowd_forgets_whoever_has_left() -> None:
    class Somebody:
        def cut(self) -> None:
            raise AssertionError

        def grow_impatient(self, now: float) -> None:
            raise AssertionError

    one = Somebody()
    here: crowd.Crowd[Somebody] = crowd.Crowd(1)
    for _ in range(3):
        here.join(one)
        here.busy(one)
        here.idle(one)
        here.leave(one)
        here.idle(one)  # an answer that comes too late
    assert not here.everybody()
    here.sweep()
