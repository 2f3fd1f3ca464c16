"""What goes wrong while it is watched: lost and frozen lines to the database, paused and killed processes."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg

from ostiary.revocation_check.fleet import Fleet, ready

CALM = 1.0
FROZEN = 2.2
_LINES = """SELECT pid FROM pg_stat_activity WHERE application_name = 'ostiary-lease'
            AND datname = current_database() ORDER BY backend_start"""


@dataclass(slots=True)
class Nemesis:
    """Who does it, and how often what was done."""

    fleet: Fleet
    superuser: str
    done: Counter[str] = field(default_factory=Counter)


async def haunt(nemesis: Nemesis, stop: asyncio.Event) -> None:
    """One fault after another until `stop`; each is over when the next begins, so that all of them count."""
    connection = await asyncpg.connect(nemesis.superuser)
    try:
        for turn in count():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), CALM)
            if stop.is_set():
                return
            fault = FAULTS[turn % len(FAULTS)]
            if await fault(nemesis, connection, turn):
                nemesis.done[fault.__name__.removeprefix("_").replace("_", " ")] += 1
    finally:
        await connection.close()


async def _lines_killed(_nemesis: Nemesis, connection: Any, turn: int) -> bool:
    """Every second line to the database breaks, as when the server restarts."""
    pids = [row["pid"] for row in await connection.fetch(_LINES)]
    for pid in pids[turn % 2 :: 2]:
        await connection.execute("SELECT pg_terminate_backend($1)", pid)
    return bool(pids)


async def _line_frozen(_nemesis: Nemesis, connection: Any, turn: int) -> bool:
    """A line goes silent without breaking, as behind a firewall that forgot it."""
    pids = [row["pid"] for row in await connection.fetch(_LINES)]
    return bool(pids) and await _pause(pids[turn % len(pids)], FROZEN)


async def _worker_paused(nemesis: Nemesis, _connection: Any, turn: int) -> bool:
    """A process stops for longer than its lease and goes on as if nothing had been, like a virtual machine."""
    pids = nemesis.fleet.auths[turn % 2].workers()
    return bool(pids) and await _pause(pids[turn // 2 % len(pids)], FROZEN)


async def _worker_paused_shortly(nemesis: Nemesis, _connection: Any, turn: int) -> bool:
    """The same for less than its lease."""
    pids = nemesis.fleet.auths[turn % 2].workers()
    return bool(pids) and await _pause(pids[turn // 2 % len(pids)], 0.6)


async def _worker_killed(nemesis: Nemesis, _connection: Any, turn: int) -> bool:
    """A process dies by kill -9; its parent starts another."""
    pids = nemesis.fleet.auths[turn % 2].workers()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pids[turn // 2 % len(pids)], signal.SIGKILL)
        return True
    return False


async def _replica_restarted(nemesis: Nemesis, _connection: Any, _turn: int) -> bool:
    """A whole server dies by kill -9, and is started again."""
    replica = nemesis.fleet.auths[1]
    await asyncio.to_thread(replica.kill)
    replica.start()
    await ready(replica, "/readyz")
    return True


async def _pause(pid: int, seconds: float) -> bool:
    try:
        os.kill(pid, signal.SIGSTOP)
    except (PermissionError, ProcessLookupError):
        return False
    try:
        await asyncio.sleep(seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return True


FAULTS: tuple[Callable[[Nemesis, Any, int], Awaitable[bool]], ...] = (
    _lines_killed,
    _worker_paused_shortly,
    _line_frozen,
    _worker_killed,
    _worker_paused,
    _replica_restarted,
)
