"""The one schema and its one Alembic chain: making the database roles, upgrading, telling where a database stands.

The functions are blocking; call them before the event loop runs, or in a thread.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ostiary_shared import scram
from ostiary_shared.database import DIALECT, connect
from ostiary_shared.migrations import chain, running
from ostiary_shared.migrations.running import HeldUpError, NotTheOwnerError, Run, UpgradeRefusedError

__all__ = [
    "HeldUpError", "MigrationState", "NewerDatabaseError", "NotTheOwnerError", "UpgradeRefusedError", "create_roles",
    "knows", "state", "take_back", "upgrade", "upgrade_inside",
]  # fmt: skip

ROLES = ("ostiary_owner", "ostiary_auth", "ostiary_admin")
_OWNER = {"role": ROLES[0]}

Result = TypeVar("Result")
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class MigrationState:
    """Where a database stands: its revision (None when empty), the newest we know, and whether it is ahead of us."""

    current: str | None
    head: str
    newer: bool

    @property
    def complete(self) -> bool:
        """Whether there is nothing to do."""
        return self.current == self.head

    @property
    def pending(self) -> tuple[chain.Step, ...]:
        """What an upgrade would do."""
        return () if self.newer else tuple(step for step in chain.steps() if step.revision > (self.current or ""))


class NewerDatabaseError(UpgradeRefusedError):
    """The database was upgraded by a later release than this code."""


def state(database_url: str) -> MigrationState:
    """Where the database stands."""
    return asyncio.run(_connected(database_url, _state))


def upgrade(database_url: str, tell: Tell = lambda _said: None, observe: chain.Observe | None = None) -> MigrationState:
    """Bring the schema to this code's revision, one process at a time, as ostiary_owner whoever is connected.

    `tell` hears how it goes, `observe` of each statement. Raises UpgradeRefusedError; what was done until then stays
    done, and a repetition goes on.
    """
    run = Run(database_url, tell, observe)
    return asyncio.run(_connected(database_url, lambda connection: _upgrade(connection, run)))


def take_back(database_url: str, to: str, tell: Tell = lambda _said: None) -> MigrationState:
    """Undo what came after the revision `to`. Raises UpgradeRefusedError where there is no way back."""
    run = Run(database_url, tell)
    return asyncio.run(_connected(database_url, lambda connection: _take_back(connection, to, run)))


def knows(revision: str) -> bool:
    """Whether this code can bring a database at `revision` up to date."""
    return any(step.revision == revision for step in chain.steps())


def upgrade_inside(connection: Connection) -> str:
    """Upgrade in the transaction of a restore, which holds running.LOCK and is ostiary_owner; the revision.

    Nobody sees what is in between, and nobody is in the way.
    """
    command.upgrade(chain.config(connection), "head")
    return chain.steps()[-1].revision


def create_roles(database_url: str, passwords: Mapping[str, str]) -> None:
    """Make the three database roles that are missing and give them these passwords (none: trusted connections only).

    `database_url` must belong to someone who may create roles.
    """
    # Whoever may make functions in `public` could else have one called in the place of PostgreSQL's, by a superuser.
    alone = {"search_path": "pg_catalog"}
    asyncio.run(_connected(database_url, lambda connection: _create_roles(connection, passwords), **alone))


def _state(connection: Connection) -> MigrationState:
    current = running.current(connection)
    known = [step.revision for step in chain.steps()]
    return MigrationState(current, known[-1], current is not None and current not in known)


def _upgrade(connection: Connection, run: Run) -> MigrationState:
    with running.alone(connection, run):
        before = _known(connection)
        for step in before.pending:
            run.tell(f"{step.revision}: {step.title}.")
            running.apply(connection, step, run)
        return _state(connection)


def _take_back(connection: Connection, to: str, run: Run) -> MigrationState:
    with running.alone(connection, run):
        now = _known(connection).current or ""
        steps = [step for step in reversed(chain.steps()) if to < step.revision <= now]
        for step in steps:
            if step.no_way_back:
                raise UpgradeRefusedError(f"There is no way back from {step.revision}: {step.no_way_back}")
        for step in steps:
            run.tell(f"{step.revision} is taken back.")
            running.take_back(connection, step, run)
        return _state(connection)


def _known(connection: Connection) -> MigrationState:
    found = _state(connection)
    if found.newer:
        raise NewerDatabaseError(
            f"The database is at revision {found.current}, which this release does not know. "
            "Start the release that upgraded it, or a later one."
        )
    return found


def _create_roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": running.LOCK})
    quote = connection.dialect.identifier_preparer.quote
    for role in ROLES:
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first():
            # Roles belong to the whole server, the lock above to one database: somebody else may be faster.
            connection.exec_driver_sql(
                f"DO $$ BEGIN CREATE ROLE {quote(role)} LOGIN; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        if passwords.get(role):
            _give_password(connection, role, passwords[role])
    if not connection.scalar(text("SELECT pg_has_role(:role, 'SET')"), _OWNER):  # who made a role is not yet its member
        connection.exec_driver_sql(
            f"DO $$ BEGIN GRANT {ROLES[0]} TO CURRENT_USER; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
        )
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    connection.exec_driver_sql(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {quote(database)} TO ostiary_owner")
    connection.exec_driver_sql("GRANT USAGE, CREATE ON SCHEMA public TO ostiary_owner")
    connection.commit()


def _give_password(connection: Connection, role: str, password: str) -> None:
    """As what the server keeps of it: the statement may stand in a log. Nothing is sent when it has it already."""
    if connection.scalar(text("SELECT has_table_privilege('pg_authid', 'SELECT')")):
        found = text("SELECT rolpassword FROM pg_authid WHERE rolname = :role AND rolcanlogin")
        if scram.fits(connection.scalar(found, {"role": role}) or "", password):
            return
    quoted = connection.dialect.identifier_preparer.quote(role)
    connection.exec_driver_sql(f"ALTER ROLE {quoted} LOGIN PASSWORD '{scram.verifier(password)}'")


async def _connected(database_url: str, act: Callable[[Connection], Result], **settings: str) -> Result:
    creator = partial(connect, database_url, timeout=10, server_settings=settings)
    engine = create_async_engine(DIALECT, poolclass=NullPool, async_creator=creator)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(act)
    finally:
        await engine.dispose()
