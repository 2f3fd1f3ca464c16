"""Ears that write down what they hear, and a line that is held while a test runs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from ostiary_auth.fast import lease
from ostiary_auth.fast.notices import Ears


@dataclass(slots=True)
class Listener:
    """What one replica has heard, and until when it may answer from memory."""

    heard: list[str] = field(default_factory=list)
    until: float = 0.0
    leases: list[float] = field(default_factory=list)

    @property
    def ears(self) -> Ears:
        return Ears(
            lambda key: self.heard.append(f"s {key.hex()}"),
            lambda: self.heard.append("*"),
            lambda: self.heard.append("w"),
            lambda: self.heard.append("k"),
            self._lease,
        )

    def _lease(self, until: float) -> None:
        self.until = until
        self.leases.append(until)

    @property
    def alive(self) -> bool:
        return self.until > time.monotonic()


async def until(so: Callable[[], bool], seconds: float = 3.0) -> float:
    """Wait until it is so; how long that took."""
    since = time.monotonic()
    while not so():
        assert time.monotonic() < since + seconds, "it did not come to be"
        await asyncio.sleep(0.002)
    return time.monotonic() - since


@contextlib.asynccontextmanager
async def listening(url: str, name: str = "here") -> AsyncIterator[Listener]:
    """A replica that holds its lease."""
    listener, stop = Listener(), asyncio.Event()
    task = asyncio.create_task(lease.keep(url, name, listener.ears, stop))
    try:
        await until(lambda: listener.alive)
        listener.heard.clear()
        yield listener
    finally:
        stop.set()
        await task
