"""Thousands of raw requests over a few connections, as quick as one process can."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

END = b"\r\n\r\n"
CONNECTIONS = 16
SECONDS = 5


@dataclass(frozen=True)
class Shot:
    """One request, byte by byte. `alone` is one that must not share its connection with the next."""

    raw: bytes
    alone: bool = False
    bodiless: bool = False


@dataclass(frozen=True)
class Reply:
    """What came back. Status 0: the connection was closed without a word."""

    status: int = 0
    headers: bytes = b""
    body: bytes = b""


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def fire(port: int, shots: Sequence[Shot], heard: Callable[[int, Reply], None]) -> None:
    """Send every shot; `heard` gets its number and what came back."""
    waiting = iter(enumerate(shots))
    await asyncio.gather(*(_worker(port, waiting, heard) for _ in range(CONNECTIONS)))


async def _worker(port: int, waiting: "enumerate[Shot]", heard: Callable[[int, Reply], None]) -> None:
    line: Line | None = None
    for number, shot in waiting:
        fresh = line is None or shot.alone
        if fresh and line:
            line[1].close()
        if fresh or line is None:
            line = await asyncio.open_connection("127.0.0.1", port)
        reply, open_still = await _exchanged(line, shot)
        if reply.status == 0 and not fresh:  # the server had closed an idle connection: not this request's fault
            line[1].close()
            line = await asyncio.open_connection("127.0.0.1", port)
            reply, open_still = await _exchanged(line, shot)
        heard(number, reply)
        if not open_still or shot.alone:
            line[1].close()
            line = None
    if line:
        line[1].close()


async def _exchanged(line: Line, shot: Shot) -> tuple[Reply, bool]:
    reader, writer = line
    reply = Reply()
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        async with asyncio.timeout(SECONDS):
            writer.write(shot.raw)
            head = (await reader.readuntil(END)).lower()
            reply = Reply(int(head[9:12]), head)
            if head.startswith(b"http/1.1 1"):
                return reply, False
            body, ended = await _body(reader, head, bodiless=shot.bodiless or reply.status in {204, 304})
            reply = Reply(reply.status, head, body)
            if shot.alone:
                await reader.read()
            return reply, not ended
    return reply, False


async def _body(reader: asyncio.StreamReader, head: bytes, *, bodiless: bool) -> tuple[bytes, bool]:
    """The body, and whether the connection ends with it."""
    ended = b"\r\nconnection: close" in head or head.startswith(b"http/1.0")
    if bodiless:
        return b"", ended
    _, found, length = head.partition(b"\r\ncontent-length:")
    if found:
        return await reader.readexactly(int(length.partition(b"\r\n")[0])), ended
    return await reader.read(), True
