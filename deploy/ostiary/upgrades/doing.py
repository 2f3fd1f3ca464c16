"""The upgrade itself, and the way back: backup, migrations, a look at the result."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from ostiary import database
from ostiary.faults import Finding
from ostiary.upgrades.survey import Running, look
from ostiary_shared import migrations
from ostiary_shared.database import connect, make_engine
from ostiary_shared.migrations import chain
from ostiary_shared.migrations.chain import Step
from ostiary_shared.models import Base

Tell = Callable[[str], object]
_LEFT = "UPDATE schema_revisions SET backup = $2 WHERE revision = ANY ($1)"
_BACKUP = "SELECT backup FROM schema_revisions WHERE backup <> '' ORDER BY revision DESC LIMIT 1"


def forth(url: str, pending: tuple[Step, ...], backup: Path | None, tell: Tell) -> str:
    """Migrate, make the first roles, see that all is as the code wants it, and note the backup; the revision."""
    head = database.upgrade(url, tell)
    different = asyncio.run(_differences(url))
    if different:
        raise Finding(f"the schema is at {head}, but is not what the code describes: {different[0]}.")
    if backup:
        asyncio.run(_note(url, [step.revision for step in pending], str(backup)))
    return head


@dataclass(frozen=True, slots=True)
class WayBack:
    """The last release's migrations, the newest first, and the revision below them."""

    steps: tuple[Step, ...]
    to: str

    @property
    def now(self) -> str:
        """Where the database stands."""
        return self.steps[0].revision


def way_back(url: str) -> WayBack:
    """The way back by one release. Raises Finding where there is none, or something would be lost."""
    now = migrations.state(url)
    if now.newer or not now.current:
        raise Finding("there is nothing that this release could take back.")
    last = next(step for step in chain.steps() if step.revision == now.current)
    steps = [step for step in reversed(chain.steps()) if step.since == last.since and step.revision <= now.current]
    older = [step for step in chain.steps() if step.revision < steps[-1].revision]
    obstacle = asyncio.run(_obstacle(url, steps, older[-1] if older else None))
    if obstacle:
        raise Finding(obstacle)
    return WayBack(tuple(steps), older[-1].revision)


def back(url: str, way: WayBack, tell: Tell) -> str:
    """Go that way, if nothing came in between; the revision."""
    if way_back(url) != way:
        raise Finding("somebody else has migrated meanwhile; nothing was changed.")
    return migrations.take_back(url, way.to, tell).current or ""


async def _obstacle(url: str, steps: list[Step], to: Step | None) -> str:
    """Why there is no way back; empty when there is."""
    for step in steps:
        if step.no_way_back or to is None:
            return f"{step.revision} cannot be taken back: {step.no_way_back} {await _instead(url)}"
    survey = await look(url, migrations.MigrationState(steps[0].revision, steps[0].revision, newer=False))
    if to and (news := [one for one in survey.running if _needs(one, to)]):
        return (
            f"{', '.join(map(str, news))} would miss what is taken away: roll the services back to {to.since} first; "
            f"that release serves on {steps[0].revision}, too."
        )
    connection = await connect(url, timeout=10)
    try:
        for step in steps:
            for words, query in step.loses.items():
                if count := await connection.fetchval(query):
                    return f"this would lose {count:,} {words}. {await _instead(url)}"
    finally:
        await connection.close(timeout=5)
    return ""


def _needs(one: Running, to: Step) -> bool:
    return chain.numbered(one.release) > chain.numbered(to.since)


async def _instead(url: str) -> str:
    connection = await connect(url, timeout=10)
    try:
        found = await connection.fetchval("SELECT to_regclass('schema_revisions') IS NOT NULL")
        backup = await connection.fetchval(_BACKUP) if found else ""
    finally:
        await connection.close(timeout=5)
    named = f"the backup {backup}, taken before the upgrade" if backup else "a backup of before the upgrade"
    return f"Restore {named}: ./ostiary restore {backup or 'FILE'}"


async def _note(url: str, revisions: list[str], backup: str) -> None:
    connection = await connect(url, timeout=10)
    try:
        await connection.execute(f"SET ROLE {database.OWNER}")
        await connection.execute(_LEFT, revisions, backup)
    finally:
        await connection.close(timeout=5)


async def _differences(url: str) -> list[Any]:
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_compared)
    finally:
        await engine.dispose()


def _compared(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))
