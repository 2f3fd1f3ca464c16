"""The main port answers what it can before uvicorn sees it, and neither gets into the other's way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from ostiary import guarded, serving
from ostiary_shared import crowd
from tests.lines import PATIENCE, Line, ended, lines
from tests.system.test_serving import app

QUICK = b"GET /quick HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
READY = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nquick"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "SWEEP_SECONDS", 0.05)


def at_once(data: bytes, _peer: str | None) -> bytes | None:
    return READY if data == QUICK else None


@contextlib.asynccontextmanager
async def served(on: serving.App | None = None) -> AsyncIterator[tuple[serving.Server, Line]]:
    """A server, and one connection to it."""
    listener = serving.bind(0, "--port")
    site = serving.Site(on or app("slow"), listener, None, crowd.MOST, at_once)
    async with serving.serving(site) as [server], lines(listener.getsockname()[1], 1) as [line]:
        yield server, line


async def said(line: Line) -> bytes:
    """The body of the next answer."""
    async with asyncio.timeout(PATIENCE):
        head = (await line[0].readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await line[0].readexactly(length)


async def test_one_connection_asks_for_both_in_turn() -> None:
    async with served() as (_, line):
        for _ in range(3):
            line[1].write(QUICK)
            assert await said(line) == b"quick"
            line[1].write(SLOW)
            assert await said(line) == b"slow"


async def test_no_answer_overtakes_one_that_is_under_way() -> None:
    go = asyncio.Event()

    async def waiting(scope: object, receive: object, send: object) -> None:
        await go.wait()
        await app("slow")(scope, receive, send)

    async with served(waiting) as (_, line):
        line[1].write(SLOW)
        await asyncio.sleep(0.05)
        line[1].write(QUICK)  # the app is asked for this one, too
        await asyncio.sleep(0.05)
        go.set()
        assert [await said(line) for _ in range(2)] == [b"slow", b"slow"]


async def test_what_looks_like_a_question_within_another_is_none() -> None:
    bodies: list[bytes] = []

    async def reading(_scope: object, receive: object, send: object) -> None:
        whole, more = b"", True
        while more:
            message = await receive()  # type: ignore[operator]
            whole, more = whole + message.get("body", b""), message.get("more_body", False)
        bodies.append(whole)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"read"})  # type: ignore[operator]

    async with served(reading) as (_, line):
        line[1].write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(QUICK))
        await asyncio.sleep(0.05)
        line[1].write(QUICK)
        assert await said(line) == b"read"
        line[1].write(b"GET / HTTP/1.1\r\nX: ")
        await asyncio.sleep(0.05)
        line[1].write(QUICK)  # the rest of that header, and of the head
        assert await said(line) == b"read"
    assert bodies == [QUICK, b""]


async def test_a_body_that_comes_after_its_answer_is_no_question() -> None:
    async with served() as (_, line):
        line[1].write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(QUICK))
        assert await said(line) == b"slow"
        line[1].write(QUICK)
        await asyncio.sleep(0.05)
        line[1].write(SLOW)
        assert await said(line) == b"slow"


async def test_who_asks_again_and_again_is_not_sent_away_and_who_stops_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor by a clock of uvicorn's that an answer of the app has set."""
    monkeypatch.setattr(guarded, "IDLE_SECONDS", 0.6)
    monkeypatch.setattr(guarded, "HEADER_SECONDS", 0.6)
    monkeypatch.setattr(serving, "IDLE_SECONDS", 1)
    async with served() as (_, line):
        line[1].write(SLOW)
        assert await said(line) == b"slow"
        for _ in range(16):
            line[1].write(QUICK)
            assert await said(line) == b"quick"
            await asyncio.sleep(0.1)
        assert await ended(line[0]) == b""


async def test_before_it_ends_every_answer_is_the_apps_and_says_that_it_is_the_last() -> None:
    async with served() as (server, line):
        line[1].write(QUICK)
        assert await said(line) == b"quick"
        server.crowd.parting = True
        line[1].write(QUICK)
        async with asyncio.timeout(PATIENCE):
            assert b"connection: close" in (await line[0].read()).lower()


async def test_a_first_question_that_is_answered_needs_no_further_word_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that waits for a first head stops, as it does for the app's questions."""
    monkeypatch.setattr(guarded, "HEADER_SECONDS", 0.2)
    async with served() as (_, line):
        line[1].write(QUICK)
        assert await said(line) == b"quick"
        await asyncio.sleep(0.5)
        line[1].write(QUICK)
        assert await said(line) == b"quick"
