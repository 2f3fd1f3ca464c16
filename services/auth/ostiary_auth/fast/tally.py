"""What the quick doors do, as figures: read off once a second, so that no answer waits for them."""

import time

from ostiary_auth import metrics
from ostiary_auth.fast.keeper import Keeper
from ostiary_auth.fast.lease import SPAN


class Tally:
    """One per process, beside its keeper."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def sample(self) -> None:
        """Hand on what has come together since the last time, and how things stand."""
        memory, now = self._keeper.memory, time.monotonic()
        metrics.RECORDS.set(len(memory.records))
        metrics.ROOM.set(memory.room)
        metrics.LEASE_WANTED.set(int(self._keeper.serving))
        metrics.LEASE_HELD.set(int(now < memory.lease_until))
        if memory.lease_until:
            metrics.ECHO_AGE.set(now - memory.lease_until + SPAN)

    async def trouble(self) -> str:
        """Why nothing is answered from memory; empty when it is, or is not meant to be."""
        keeper = self._keeper
        if not keeper.serving or time.monotonic() < keeper.memory.lease_until:
            return ""
        return "No lease: the database is asked every time, since its notices do not arrive."
