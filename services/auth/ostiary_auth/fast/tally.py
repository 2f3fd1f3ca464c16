"""What the quick doors do, as figures: read off once a second, so that no answer waits for them."""

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ostiary_auth import metrics
from ostiary_auth.fast.ask import Ask
from ostiary_auth.fast.keeper import Keeper
from ostiary_auth.fast.lease import SPAN

Labels = tuple[str, str, str]


class Tally:
    """One per process, beside its keeper."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._before: dict[Labels, int] = {}
        self._hits = self._missed = self._evicted = 0

    def sample(self) -> None:
        """Hand on what has come together since the last time, and how things stand."""
        keeper, memory, now = self._keeper, self._keeper.memory, time.monotonic()
        self._hand_on(_answers(keeper))
        hits = sum(keeper.passed.values())
        metrics.MEMORY.labels("hit").inc(hits - self._hits)
        metrics.MEMORY.labels("miss").inc(keeper.missed - self._missed)
        metrics.EVICTED.inc(memory.evicted - self._evicted)
        self._hits, self._missed, self._evicted = hits, keeper.missed, memory.evicted
        metrics.RECORDS.set(len(memory.records))
        metrics.ROOM.set(memory.room)
        metrics.LEASE_WANTED.set(int(keeper.serving))
        metrics.LEASE_HELD.set(int(now < memory.lease_until))
        if memory.lease_until:
            metrics.ECHO_AGE.set(now - memory.lease_until + SPAN)

    async def trouble(self) -> str:
        """Why nothing is answered from memory; empty when it is, or is not meant to be."""
        keeper = self._keeper
        if not keeper.serving or time.monotonic() < keeper.memory.lease_until:
            return ""
        return "No lease: the database is asked every time, since its notices do not arrive."

    def _hand_on(self, counted: Mapping[Labels, int]) -> None:
        for labels, count in counted.items():
            more = count - self._before.get(labels, 0)
            if more:
                metrics.DECISIONS.labels(*labels).inc(more)
        self._before = dict(counted)


def count(ask: Ask, outcome: str, source: str) -> None:
    """Count an answer that was not ready."""
    _decisions(ask.door, outcome, source).inc()


@lru_cache
def _decisions(door: bytes, outcome: str, source: str) -> Any:
    return metrics.DECISIONS.labels(door.decode(), outcome, source)


def _answers(keeper: Keeper) -> dict[Labels, int]:
    counted: dict[Labels, int] = {}
    for door, count in keeper.passed.items():
        counted[door.decode(), "allowed", "memory"] = count + keeper.opened[door]
    for (door, outcome), count in keeper.refused.items():
        counted[door.decode(), outcome, "repeated"] = count
    return counted
