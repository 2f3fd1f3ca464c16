"""The drill: a restore into a scratch database, looked at from all sides and dropped again."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from ostiary.backups import place, stand_in
from ostiary.backups.restoring import restore
from ostiary.backups.scratching import scratch
from ostiary.backups.terms import Restored, Restoring
from ostiary.telling import told
from ostiary_shared import migrations

# What must be true of a database that was restored, and what is wrong otherwise.
PROMISES = {
    "at least one administrator": (
        "SELECT usable_admins() > 0",
        "nobody could administer",
    ),
    "nothing of before is alive": (
        """SELECT NOT EXISTS (SELECT FROM sessions WHERE ended_at IS NULL AND expires_at > now())
           AND NOT EXISTS (SELECT FROM one_time_tokens
                           WHERE voided_at IS NULL AND consumed_at IS NULL AND expires_at > now())""",
        "sessions or links would be good again",
    ),
    "no mail would be sent again": (
        "SELECT NOT EXISTS (SELECT FROM messages WHERE coalesce(sent_at, failed_at, dropped_at) IS NULL)",
        "mails wait to be sent",
    ),
    "constraints and indexes hold": (
        """SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE NOT convalidated)
           AND NOT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)""",
        "some are not valid",
    ),
}
SERVICES = (("ostiary_auth", "passwords", "hash"), ("ostiary_admin", "audit_events", "event"))
MAY_READ = "SELECT has_column_privilege($1, $2, $3, 'SELECT')"


@dataclass(frozen=True, slots=True)
class Check:
    """One promise; `trouble` is empty when it is kept."""

    name: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Drilled:
    """How the rehearsal went."""

    restored: Restored
    checks: tuple[Check, ...]

    @property
    def fine(self) -> bool:
        """Whether a real restore would do."""
        return not any(check.trouble for check in self.checks)


def drill(url: str, file: Path, options: Restoring) -> Drilled:
    """Restore into a scratch database beside the one at `url`, check it, and drop it."""
    with scratch(url, "drill") as beside:
        restored = restore(beside, file, options)
        options.progress("looking at what came out", 1.0)
        with told():
            checks = asyncio.run(_looked(beside))
    counted = Check("checksum, and every table as many rows as in the backup")  # else `restore` had refused
    return Drilled(restored, (counted, *checks))


async def _looked(url: str) -> list[Check]:
    """Look at it as its owner does: what is there may do what it likes with whoever looks."""
    async with stand_in.as_owner(url) as owners:
        state = await asyncio.to_thread(migrations.state, owners)
        schema = Check("the schema of this release", "" if state.complete else f"it is at {state.current}")
        return [schema, *await _checks(owners)]


async def _checks(url: str) -> list[Check]:
    connection = await place.reached(url)
    try:
        found = []
        for name, (promise, trouble) in PROMISES.items():
            found.append(Check(name, "" if await connection.fetchval(promise) else trouble))
        for role, table, column in SERVICES:
            allowed = await connection.fetchval(MAY_READ, role, table, column)
            found.append(Check(f"{role} has its rights", "" if allowed else f"it may not read {table}"))
        return found
    finally:
        await connection.close(timeout=5)
