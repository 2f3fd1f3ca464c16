"""Our HTTP servers: the guarded protocol, two apps on one port, lifespans, and an end that finishes what was begun."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ostiary import guarded, serving
from ostiary.faults import Refusal


def app(name: str, seconds: float = 0, told: list[str] | None = None) -> serving.App:
    """An app that answers its name, and keeps what its lifespan was told."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        while scope["type"] == "lifespan":
            event = (await receive())["type"]
            if told is not None:
                told.append(event)
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
        await asyncio.sleep(seconds)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(name))]})
        await send({"type": "http.response.body", "body": name.encode()})

    return answer


@contextlib.asynccontextmanager
async def served(on: serving.App) -> AsyncIterator[int]:
    listener = serving.bind(0, "--port")
    async with serving.serving(serving.Site(on, listener)):
        yield listener.getsockname()[1]


async def said(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that the server says to these bytes, until it closes or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    answer = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while chunk := await asyncio.wait_for(reader.read(65536), 2):
            answer += chunk
    writer.close()
    return answer


def get(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode()


async def test_the_console_answers_its_prefix_and_nothing_that_only_begins_like_it() -> None:
    async with served(serving.either("/admin", app("admin"), app("auth"))) as port:
        for path in ("/admin", "/admin/users"):
            assert (await said(port, get(path))).endswith(b"\r\n\r\nadmin")
        for path in ("/", "/administrator"):
            assert (await said(port, get(path))).endswith(b"\r\n\r\nauth")


async def test_the_server_does_not_say_what_it_is() -> None:
    async with served(app("auth")) as port:
        assert b"server:" not in (await said(port, get("/"))).lower()


async def test_headers_that_take_too_long_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "HEADER_SECONDS", 0.2)
    async with served(app("auth")) as port:
        assert (await said(port, b"GET / HTTP/1.1\r\nHo")).startswith(b"HTTP/1.1 408 ")


async def test_a_spare_connection_is_closed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "HEADER_SECONDS", 0.2)
    async with served(app("auth")) as port:
        assert await said(port) == b""


async def test_the_time_for_headers_begins_anew_with_each_request_of_a_kept_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guarded, "HEADER_SECONDS", 0.3)
    kept = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with served(app("auth")) as port:
        answer = await said(port, kept, kept, b"GET / HT", pause=0.4)
        assert answer.count(b"HTTP/1.1 200 OK") == 2
        assert b"HTTP/1.1 408 " in answer


@pytest.mark.parametrize("many", [False, True])
async def test_too_large_headers_are_refused_whether_whole_or_unfinished(many: bool) -> None:
    large = "".join(f"X-{number}: {'a' * 1000}\r\n" for number in range(40)) if many else f"X: {'a' * 40_000}"
    request = get("/", large) if many else get("/", large).removesuffix(b"\r\n")
    async with served(app("auth")) as port:
        assert (await said(port, request)).startswith(b"HTTP/1.1 431 ")


async def test_headers_just_below_the_limit_and_a_large_body_pass() -> None:
    body = b"b" * 200_000
    headers = f"X: {'a' * 30_000}\r\nContent-Length: {len(body)}\r\n"
    async with served(app("auth")) as port:
        assert (await said(port, get("/", headers) + body)).startswith(b"HTTP/1.1 200 ")


async def test_garbage_is_a_bad_request() -> None:
    async with served(app("auth")) as port:
        assert (await said(port, b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_request_that_was_begun_is_finished_before_the_server_ends() -> None:
    async with served(app("slow", seconds=0.4)) as port:
        begun = asyncio.create_task(said(port, get("/")))
        await asyncio.sleep(0.2)
    assert (await begun).endswith(b"slow")


async def test_who_keeps_a_connection_is_told_with_the_next_answer_that_it_ends() -> None:
    """Else a proxy would send its next question on a connection that is just being closed."""
    listener = serving.bind(0, "--port")
    kept = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving.serving(serving.Site(app("auth"), listener)) as servers:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        for parting in (False, True):
            servers[0].crowd.parting = parting
            writer.write(kept)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert (b"connection: close" in head) == parting
            assert await reader.readexactly(4) == b"auth"
        assert await reader.read() == b""
        writer.close()


async def test_a_server_that_is_told_to_end_answers_on_until_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "QUIET_SECONDS", 0.3)
    listener = serving.bind(0, "--port")
    port = listener.getsockname()[1]
    async with serving.serving(serving.Site(app("auth"), listener)) as servers:
        ending = asyncio.create_task(serving.farewell(servers))
        for _ in range(5):
            assert (await said(port, get("/"))).endswith(b"auth")
        await asyncio.wait_for(ending, 30)


async def test_a_busy_port_is_one_sentence_naming_the_option() -> None:
    with serving.bind(0, "--port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refusal, match=f"port {port} cannot be used .*--mail-port"):
            serving.bind(port, "--mail-port")


async def test_an_app_is_opened_before_and_closed_after() -> None:
    told: list[str] = []
    async with serving.lifespan(app("auth", told=told)):
        assert told == ["lifespan.startup"]
    assert told == ["lifespan.startup", "lifespan.shutdown"]


async def test_a_service_that_cannot_start_says_why() -> None:
    async def broken(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def raising(_scope: Any, _receive: Any, _send: Any) -> None:
        raise OSError("no socket")

    with pytest.raises(Refusal, match="no database"):
        async with serving.lifespan(broken):
            pass
    with pytest.raises(OSError, match="no socket"):
        async with serving.lifespan(raising):
            pass


async def test_an_interrupt_sets_the_stop_and_nothing_else() -> None:
    stop = asyncio.Event()
    with serving.stop_signals(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 2)
