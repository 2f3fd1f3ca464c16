"""What tests would wait for, or count, for nothing: a tenth of a second for each end of a server, and traced lines."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import coverage
from uvicorn import server

LOOK = 0.01  # seconds between two looks at whether a server is to end, instead of uvicorn's tenth of one


def hurry() -> None:
    """In this process, from now on."""
    server.asyncio = _Often()  # type: ignore[assignment, attr-defined]


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
