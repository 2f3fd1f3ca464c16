"""The line to the database on which a replica hears what to forget, and by which it earns the right to remember.

A notice arrives in the order of the commits, so whoever hears its own heartbeat has heard all that was committed before
it was sent; for `SPAN` from then on memory may answer. Whoever revokes waits that long at most (revocation.LEASE).
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from ostiary_auth.fast.notices import Barrier, Ears, Echo, hear
from ostiary_shared.database import CONNECT_TIMEOUT, connect
from ostiary_shared.revocation import CHANNEL, LEASE

log = logging.getLogger(__name__)

# Seconds. The lease ends earlier than whoever revokes believes, so that an answer has left before they stop waiting.
SPAN = LEASE - 0.1
BEAT_EVERY = 0.25
# A frozen connection raises nothing. Without an echo for this long it is given up.
SILENCE = 1.0
# A timer that is this late was kept waiting by ourselves; then the line gets a second chance.
OWN_STALL = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
GOODBYE = 1.0

# What was registered before the line broke remembers nothing any more: nobody need wait for it. A backend that froze in
# the middle of a heartbeat holds its row, though.
_REGISTER = """
    WITH former AS (
        DELETE FROM replicas WHERE id IN (SELECT id FROM replicas WHERE id = $2::text::uuid FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO replicas (name) VALUES ($1) RETURNING id::text
"""
_BEAT = """
    WITH beat AS (
        UPDATE replicas SET beats = beats + 1, heard_at = now(), acknowledged = greatest(acknowledged, $2)
        WHERE id = $1::text::uuid RETURNING beats
    )
    SELECT pg_notify($3, 'h ' || $1::text || ' ' || $4::bigint) FROM beat
"""
_ACKNOWLEDGE = "UPDATE replicas SET acknowledged = greatest(acknowledged, $2) WHERE id = $1::text::uuid"
_LEAVE = "DELETE FROM replicas WHERE id = $1::text::uuid"


@dataclass(slots=True, eq=False)
class Line:
    """One connection, and the replica that is registered on it."""

    name: str
    ears: Ears
    stop: asyncio.Event
    replica: str | None = None
    connection: Any = None
    beat: int = 0
    sent: dict[int, float] = field(default_factory=dict)
    heard: int = 0
    acknowledged: int = 0
    earned: bool = False
    lost: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    watchdog: asyncio.TimerHandle | None = None


async def keep(database_url: str, name: str, ears: Ears, stop: asyncio.Event) -> None:
    """Hold the line until `stop`, then leave the replicas; made anew as often as it breaks. `name` is for receipts."""
    pause, told = FIRST_PAUSE, False
    line = Line(name, ears, stop)
    while not stop.is_set():
        line = Line(name, ears, stop, line.replica)
        try:
            await _run(line, database_url)
        except Exception as error:  # noqa: BLE001 - whatever breaks it, it is mended in the same way
            if line.earned or not told:
                log.warning("No line to the database, so nothing is answered from memory: %s", error)
            told = True
        finally:
            _drop(line)
        pause = FIRST_PAUSE if line.earned else min(2 * pause, LONGEST_PAUSE)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def _run(line: Line, database_url: str) -> None:
    line.connection = connection = await _connect(database_url)
    connection.add_termination_listener(lambda _: _drop(line))
    stopping = asyncio.create_task(line.stop.wait())
    stopping.add_done_callback(lambda _: line.wake.set())
    try:
        _watch(line)
        await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, said: _notice(line, said))
        await _hold(line)
        if line.lost:
            raise ConnectionError("it was lost, or silent for too long")
        _drop(line)  # first: as soon as the row is gone, nobody waits for us
        await connection.execute(_LEAVE, line.replica, timeout=GOODBYE)
    finally:
        stopping.cancel()
        connection.terminate()


async def _connect(database_url: str) -> Any:
    """A connection of our own. It writes nothing that a crash may not lose, so it waits for no disk."""
    settings = {
        "application_name": "ostiary-lease",
        "statement_timeout": str(int(1000 * CONNECT_TIMEOUT)),
        "synchronous_commit": "off",
    }
    return await connect(database_url, timeout=CONNECT_TIMEOUT, server_settings=settings)


async def _hold(line: Line) -> None:
    """Beat and acknowledge, one statement at a time, until the line is lost or no longer wanted."""
    await _register(line)
    due = time.monotonic()
    while not line.lost and not line.stop.is_set():
        line.wake.clear()
        if time.monotonic() >= due:
            due = time.monotonic() + BEAT_EVERY
            if not await _beat(line):
                await _register(line)
                due = 0
        elif line.heard > line.acknowledged:
            number = line.heard
            await line.connection.execute(_ACKNOWLEDGE, line.replica, number)
            line.acknowledged = number
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(line.wake.wait(), due - time.monotonic())


async def _register(line: Line) -> None:
    """Be counted among those whom a revocation waits for, and only then begin to remember."""
    line.ears.lease(0)
    line.replica = await line.connection.fetchval(_REGISTER, line.name, line.replica)
    line.sent.clear()
    line.acknowledged = 0
    line.ears.anew()


async def _beat(line: Line) -> bool:
    """Send a heartbeat; False when somebody gave this replica up and no longer waits for it."""
    line.beat += 1
    number = line.heard
    line.sent[line.beat] = time.monotonic()
    done = await line.connection.execute(_BEAT, line.replica, number, CHANNEL, line.beat)
    line.acknowledged = number
    return bool(done != "SELECT 0")


def _notice(line: Line, payload: str) -> None:
    if line.lost:
        return
    try:
        match hear(payload, line.ears):
            case Echo(replica, beat) if replica == line.replica and beat in line.sent:
                _renew(line, beat)
            case Barrier(number) if number > line.heard:
                line.heard = number
                line.wake.set()
    except Exception:
        line.connection.terminate()
        _drop(line)
        raise


def _renew(line: Line, beat: int) -> None:
    line.ears.lease(line.sent[beat] + SPAN)
    line.sent = {later: at for later, at in line.sent.items() if later > beat}
    line.earned = True
    _watch(line)


def _watch(line: Line) -> None:
    """Give the line up unless an echo comes in time."""
    if line.watchdog:
        line.watchdog.cancel()
    loop = asyncio.get_running_loop()
    due = loop.time() + SILENCE

    def silent() -> None:
        if loop.time() - due > OWN_STALL:
            _watch(line)
        else:
            line.connection.terminate()

    line.watchdog = loop.call_at(due, silent)


def _drop(line: Line) -> None:
    """From now on the database alone answers."""
    if line.watchdog:
        line.watchdog.cancel()
    if not line.lost:
        line.lost = True
        line.ears.lease(0)
        line.ears.anew()
        line.wake.set()
