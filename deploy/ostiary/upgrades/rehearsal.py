"""The upgrade on a copy: how long each statement takes, which locks it holds, and for how long until its commit."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, text

from ostiary.backups import Manifest, Restoring, Taking, restore, scratch, take
from ostiary_shared import migrations
from ostiary_shared.database import connect
from ostiary_shared.migrations import scripts

# Locks that somebody at work would feel, and what they cannot do meanwhile.
KEPT_FROM = {
    "ShareLock": "write",
    "ShareRowExclusiveLock": "write",
    "ExclusiveLock": "write",
    "AccessExclusiveLock": "read or write",
}
_LOCKS = """SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p')
      AND c.relnamespace = 'public'::regnamespace"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
Progress = Callable[[str, float], object]


@dataclass(slots=True)
class Lock:
    """A lock that others feel; `seconds` until the commit that let go of it."""

    table: str
    mode: str
    since: float
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """Whom it hinders, and how long."""
        return f"{self.table}: nobody else can {KEPT_FROM[self.mode]} it for {1000 * self.seconds:.0f} ms"


@dataclass(slots=True)
class Measured:
    """One statement on the copy."""

    revision: str
    statement: str
    seconds: float
    locks: list[Lock] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        locks = [{"table": lock.table, "mode": lock.mode, "seconds": round(lock.seconds, 6)} for lock in self.locks]
        return {
            "revision": self.revision,
            "statement": self.statement,
            "seconds": round(self.seconds, 6),
            "locks": locks,
        }


@dataclass(slots=True)
class Rehearsal:
    """How it went on the copy."""

    backup: Manifest
    seconds: float = 0.0
    statements: list[Measured] = field(default_factory=list)
    existing: frozenset[str] = frozenset()
    began: float = 0.0
    revision: str = ""

    def heard(self, said: str) -> None:
        """A migration begins: the one before has let go of its locks."""
        self.end_step()
        self.revision = said.partition(":")[0]

    def end_step(self) -> None:
        """The migration is committed."""
        now = time.perf_counter()
        for lock in (lock for one in self.statements if one.revision == self.revision for lock in one.locks):
            lock.seconds = lock.seconds or now - lock.since
        self.began = now

    def done(self, connection: Connection, statement: str) -> None:
        """A statement is done; see what it holds that those before it did not."""
        now = time.perf_counter()
        held = {(lock.table, lock.mode) for one in self.statements for lock in one.locks if not lock.seconds}
        found = [
            Lock(table, mode, self.began)
            for table, mode in connection.execute(text(_LOCKS)).all()
            if mode in KEPT_FROM and table in self.existing and (table, mode) not in held
        ]
        first = " ".join(scripts.bare(statement).split())
        self.statements.append(Measured(self.revision, first, now - self.began, found))
        self.began = time.perf_counter()


def rehearse(url: str, progress: Progress) -> Rehearsal:
    """Upgrade a copy of the database beside it, and drop the copy again. Raises Refusal when there can be none."""
    with TemporaryDirectory(prefix="ostiary-rehearsal-") as folder, scratch(url, "rehearsal") as beside:
        file = Path(folder) / "copy.backup"
        backup = take(url, file, Taking(progress=progress))
        restore(beside, file, Restoring(as_it_was=True, progress=progress))
        went = Rehearsal(backup, existing=asyncio.run(_tables(beside)))
        progress("Upgrading the copy", 0.5)
        began = went.began = time.perf_counter()
        migrations.upgrade(beside, went.heard, went.done)
        went.end_step()
        went.seconds = time.perf_counter() - began
        progress("Upgrading the copy", 1.0)
    return went


async def _tables(url: str) -> frozenset[str]:
    connection = await connect(url, timeout=10)
    try:
        return frozenset(row[0] for row in await connection.fetch(_TABLES))
    finally:
        await connection.close(timeout=5)
