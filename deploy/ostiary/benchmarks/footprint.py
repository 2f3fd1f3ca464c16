"""A process that remembers so many sessions and nothing else: `python -m ostiary.benchmarks.footprint COUNT`."""

import gc
import json
import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psutil

from ostiary_auth.fast import record
from ostiary_auth.fast.memory import KEY_BYTES, Memory
from ostiary_shared import clock, tokens
from ostiary_shared.identity import Identity, SessionFacts

DAY = timedelta(days=1)


def fill(count: int) -> dict[str, Any]:
    """Bytes a session, by the growth of the process, and the longest pause of the garbage collector."""
    gc.collect()
    gc.freeze()  # as the command does once everything is loaded
    pauses, process, memory, somebody = _watched(), psutil.Process(), Memory(count), _somebody()
    before = process.memory_info().rss
    for number in range(count):
        key = tokens.random_bytes(KEY_BYTES)
        who = replace(somebody, id=UUID(int=(1 << 120) + number), email=f"person{number}@example.test")
        memory.finish(key, memory.begin(key), record.pack(who, record.Kept(1e9, 1)))
    after = process.memory_info().rss
    gc.collect()
    kept = len(memory.records)
    return {"kept": kept, "bytes": (after - before) / kept, "pause_ms": 1e3 * max(pauses)}


def _somebody() -> Identity:
    now = clock.now()
    session = SessionFacts(UUID(int=1 << 120), 1, ("password",), now, now, now, now + DAY, DAY, None, "")
    return Identity(session.id, "", "Somebody Or Other", ("end-user",), frozenset(), session)


def _watched() -> list[float]:
    """How long each collection stopped everything, in seconds, from now on."""
    pauses, began = [0.0], [0.0]

    def note(phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            began[0] = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - began[0])

    gc.callbacks.append(note)
    return pauses


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fill(int(sys.argv[1]))))
