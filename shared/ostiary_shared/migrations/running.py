"""Running migrations on a database at work: one process at a time, as the owner, and never long in anybody's way.

A statement that waits for a lock holds up everybody who comes after it. So it waits less long than a request does for a
connection (database.POOL_WAIT), is undone, and tried again a little later.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import asyncpg
from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from ostiary_shared.database import connect, lost_a_race
from ostiary_shared.migrations import chain

OWNER = "ostiary_owner"
LOCK_TIMEOUT_MS = 500
STATEMENT_TIMEOUT_MS = 10_000
PAUSES = (0.2, 0.5, 1.0, 1.0, 2.0)  # seconds; the last one again and again
PATIENCE = 60.0  # seconds
LOCK = 0x0571A1
LOCK_PAUSE = 0.2
LOOK_EVERY = 0.1

_BLOCKING = """
    SELECT DISTINCT format('process %s (%s, as %s)', pid, coalesce(nullif(application_name, ''), 'unnamed'), usename)
    FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))"""
_BROKEN = """SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname = current_schema()"""


class UpgradeRefusedError(Exception):
    """Nothing was changed; the text is for the operator."""


class NotTheOwnerError(UpgradeRefusedError):
    """The connected user is neither ostiary_owner nor may become it."""


class HeldUpError(UpgradeRefusedError):
    """Somebody else holds what has to be changed."""


@dataclass(slots=True)
class Run:
    """One run: whom to tell how it goes, and who was seen in its way."""

    database_url: str
    tell: Callable[[str], object] = lambda _said: None
    observe: chain.Observe | None = None
    patience: float = PATIENCE
    blocking: set[str] = field(default_factory=set)


@contextlib.contextmanager
def alone(connection: Connection, run: Run) -> Iterator[None]:
    """Hold the lock of the migrators while the block runs, as ostiary_owner, with bounded waits.

    The lock is asked for again and again: who waits in the database for it would hold up CREATE INDEX CONCURRENTLY.
    """
    asked = text("SELECT pg_try_advisory_lock(:key)")
    waiting = False
    while not connection.scalar(asked, {"key": LOCK}):
        connection.commit()
        if not waiting:
            run.tell("Another migration is at work; waiting for its end.")
        waiting = True
        await_only(asyncio.sleep(LOCK_PAUSE))
    connection.commit()
    try:
        _become_owner(connection)
        connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
        connection.execute(text(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}"))
        connection.commit()
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
        connection.commit()


def apply(connection: Connection, step: chain.Step, run: Run) -> None:
    """Bring the schema one step forward; with patience where others are in the way."""
    _patiently(connection, run, lambda: command.upgrade(chain.config(connection, run.observe), step.revision))


def take_back(connection: Connection, step: chain.Step, run: Run) -> None:
    """Bring the schema to where it was before a step."""
    _patiently(connection, run, lambda: command.downgrade(chain.config(connection), f"{step.revision}-1"))


def current(connection: Connection) -> str | None:
    """The revision that the database is at."""
    found = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()  # else what follows would be part of this transaction
    return found


def _patiently(connection: Connection, run: Run, act: Callable[[], object]) -> None:
    deadline, tries = time.monotonic() + run.patience, 0
    while True:
        try:
            _drop_broken_indexes(connection)
            with _watched(connection, run, looking=tries > 0):
                act()
            connection.commit()
        except DBAPIError as error:
            connection.rollback()
            if not lost_a_race(error):
                raise
        else:
            return
        if time.monotonic() > deadline:
            raise HeldUpError(_held_up(run, tries + 1))
        run.tell(f"Somebody is at work on the same tables{_names(run)}; trying again.")
        await_only(asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)]))
        tries += 1


def _held_up(run: Run, tries: int) -> str:
    return (
        f"Others hold what has to be changed{_names(run)}. It was tried {tries} times, for {LOCK_TIMEOUT_MS} ms each, "
        "and nothing was changed. End them, or try again when they have finished."
    )


def _names(run: Run) -> str:
    return f" ({', '.join(sorted(run.blocking))})" if run.blocking else ""


@contextlib.contextmanager
def _watched(connection: Connection, run: Run, *, looking: bool) -> Iterator[None]:
    """See who is in the way of what the block does, on a line of its own."""
    if not looking:
        yield
        return
    run.blocking.clear()
    pid = connection.scalar(text("SELECT pg_backend_pid()"))
    connection.rollback()
    watching = asyncio.get_running_loop().create_task(_watch(pid, run))
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, asyncpg.PostgresError):
            await_only(watching)


async def _watch(pid: int, run: Run) -> None:
    line = await connect(run.database_url, timeout=10)
    try:
        while True:
            run.blocking.update(row[0] for row in await line.fetch(_BLOCKING, pid))
            await asyncio.sleep(LOOK_EVERY)
    finally:
        line.terminate()


def _drop_broken_indexes(connection: Connection) -> None:
    """What a CREATE INDEX CONCURRENTLY left behind that did not finish; IF NOT EXISTS would take it for the index."""
    broken = connection.scalars(text(_BROKEN)).all()
    connection.rollback()
    for name in broken:
        connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.commit()


def _become_owner(connection: Connection) -> None:
    """What is made from here on belongs to ostiary_owner, so that every way to upgrade leaves the same database."""
    allowed = connection.scalar(
        text("SELECT pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = :role"), {"role": OWNER}
    )
    if not allowed:
        user = connection.scalar(text("SELECT current_user"))
        raise NotTheOwnerError(
            f"The database user {user} is not {OWNER} and may not act for it; use the URL of {OWNER}, "
            f"or of a superuser, who also makes it; or let a superuser run GRANT {OWNER} TO {user}."
        )
    connection.execute(text(f"SET ROLE {OWNER}"))
    connection.commit()
