"""What tests would wait for, or count, for nothing: forty milliseconds for a packet, a tenth of a second for an end."""

import asyncio
import contextlib
import socket
from asyncio import base_events
from collections.abc import Iterator
from typing import Any

import coverage
from uvicorn import server

LOOK = 0.01  # seconds between two looks at whether a server is to end, instead of uvicorn's tenth of one


def hurry() -> None:
    """In this process, from now on."""
    base_events._set_nodelay = _at_once  # type: ignore[attr-defined]
    server.asyncio = _Often()  # type: ignore[assignment, attr-defined]


def _at_once(connection: socket.socket) -> None:
    """What uvloop, which serves in earnest, does for every connection.

    asyncio's own loop does so only where the socket was made with its protocol's name. Elsewhere an answer in two parts
    waits for the client's next acknowledgement.
    """
    if connection.family in {socket.AF_INET, socket.AF_INET6}:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _Often:
    """asyncio, as uvicorn's server sees it: it waits for nothing but the next look."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, LOOK))


@contextlib.contextmanager
def uncounted() -> Iterator[None]:
    """While the block runs, nobody notes which lines are run: that makes the same thousands of times twice as long.

    Whatever runs in there has to be counted elsewhere, or the figure falls.
    """
    counting = coverage.Coverage.current()
    if counting:
        counting.stop()
    try:
        yield
    finally:
        if counting:
            counting.start()
