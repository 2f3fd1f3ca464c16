"""Who is connected to a port of this process, and who goes when there are too many: whom we wait for longest.

Idle, slow to ask or slow to read, they all wait for themselves; those who wait for us are never sent away.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Generic, Protocol, TypeVar

from ostiary_shared.beside import beside

MOST = 1000
SWEEP_SECONDS = 1.0


class Member(Protocol):
    """One connection."""

    def cut(self) -> None:
        """End it now, whatever it is at."""

    def grow_impatient(self, now: float) -> None:
        """Look at what it keeps us waiting for; `now` is of time.monotonic."""


Someone = TypeVar("Someone", bound=Member)


class Crowd(Generic[Someone]):
    """The connections of one port. A member is waited for until it says that it is `busy` with a whole question.

    While it is `parting`, every answer says that it is the connection's last.
    """

    def __init__(self, most: int = MOST) -> None:
        self.parting = False
        self._most = most
        self._members: set[Someone] = set()
        self._waited_for: dict[Someone, None] = {}  # the longest first

    def __len__(self) -> int:
        return len(self._members)

    def join(self, member: Someone) -> None:
        """Somebody comes; somebody else may have to go. When all others wait for us, the newcomer has."""
        self._members.add(member)
        self._waited_for[member] = None
        if len(self._members) > self._most:
            longest = next(iter(self._waited_for))
            self.leave(longest)
            longest.cut()

    def leave(self, member: Someone) -> None:
        """Somebody has gone."""
        self._members.discard(member)
        self._waited_for.pop(member, None)

    def busy(self, member: Someone) -> None:
        """They wait for us."""
        self._waited_for.pop(member, None)

    def idle(self, member: Someone) -> None:
        """From now on we wait for them, unless they have left."""
        self._waited_for.pop(member, None)
        if member in self._members:
            self._waited_for[member] = None

    def everybody(self) -> tuple[Someone, ...]:
        """All who are here."""
        return tuple(self._members)

    def sweep(self) -> None:
        """Let everybody look at the clock. Call it every second or so."""
        now = time.monotonic()
        for member in self.everybody():
            member.grow_impatient(now)


@contextlib.asynccontextmanager
async def swept(crowd: Crowd[Any]) -> AsyncIterator[None]:
    """Sweep while the block runs."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            crowd.sweep()

    async with beside(sweep()):
        yield
