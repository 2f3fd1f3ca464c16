"""The one schema and its one Alembic chain: making the database roles, upgrading, telling where a database stands.

The functions are blocking; call them before the event loop runs, or in a thread.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ostiary_shared.database import DIALECT, connect

HERE = Path(__file__).parent
ROLES = ("ostiary_owner", "ostiary_auth", "ostiary_admin")
_OWNER = {"role": ROLES[0]}
_UPGRADING = 0x0571A1

Result = TypeVar("Result")


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


class UpgradeRefusedError(Exception):
    """Nothing was changed; the text is for the operator."""


class NewerDatabaseError(UpgradeRefusedError):
    """The database was upgraded by a later release than this code."""


class NotTheOwnerError(UpgradeRefusedError):
    """The connected user is neither ostiary_owner nor may become it."""


def state(database_url: str) -> MigrationState:
    """Where the database stands."""
    return asyncio.run(_connected(database_url, _state))


def upgrade(database_url: str) -> MigrationState:
    """Bring the schema to this code's revision, one process at a time, as ostiary_owner whoever is connected.

    Raises UpgradeRefusedError, changing nothing.
    """
    return asyncio.run(_connected(database_url, _upgrade))


def create_roles(database_url: str, passwords: Mapping[str, str]) -> None:
    """Make the three database roles that are missing and give them these passwords (none: trusted connections only).

    `database_url` must belong to someone who may create roles.
    """
    asyncio.run(_connected(database_url, lambda connection: _create_roles(connection, passwords)))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def _state(connection: Connection) -> MigrationState:
    script = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    return MigrationState(current, str(script.get_current_head()), current is not None and current not in known)


def _upgrade(connection: Connection) -> MigrationState:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADING})
    try:
        _become_owner(connection)
        before = _state(connection)
        if before.newer:
            raise NewerDatabaseError(
                f"The database is at revision {before.current}, which this release does not know. "
                "Start the release that upgraded it, or a later one."
            )
        command.upgrade(_config(connection), "head")
        connection.commit()
        return _state(connection)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _UPGRADING})
        connection.commit()


def _become_owner(connection: Connection) -> None:
    """What is made from here on belongs to ostiary_owner, so that every way to upgrade leaves the same database."""
    allowed = connection.scalar(text("SELECT pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = :role"), _OWNER)
    if not allowed:
        user = connection.scalar(text("SELECT current_user"))
        raise NotTheOwnerError(
            f"The database user {user} is not {ROLES[0]} and may not act for it; use the URL of {ROLES[0]}, "
            f"or of a superuser, who also makes it; or let a superuser run GRANT {ROLES[0]} TO {user}."
        )
    connection.execute(text(f"SET ROLE {ROLES[0]}"))
    connection.commit()


def _create_roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADING})
    quote = connection.dialect.identifier_preparer.quote
    for role in ROLES:
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first():
            # Roles belong to the whole server, the lock above to one database: somebody else may be faster.
            connection.exec_driver_sql(
                f"DO $$ BEGIN CREATE ROLE {quote(role)} LOGIN; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        password = passwords.get(role, "").replace("'", "''")
        if password:
            connection.exec_driver_sql(f"ALTER ROLE {quote(role)} LOGIN PASSWORD '{password}'")
    if not connection.scalar(text("SELECT pg_has_role(:role, 'SET')"), _OWNER):  # who made a role is not yet its member
        connection.exec_driver_sql(
            f"DO $$ BEGIN GRANT {ROLES[0]} TO CURRENT_USER; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
        )
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    connection.exec_driver_sql(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {quote(database)} TO ostiary_owner")
    connection.exec_driver_sql("GRANT USAGE, CREATE ON SCHEMA public TO ostiary_owner")
    connection.commit()


async def _connected(database_url: str, act: Callable[[Connection], Result]) -> Result:
    engine = create_async_engine(DIALECT, poolclass=NullPool, async_creator=partial(connect, database_url, timeout=10))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(act)
    finally:
        await engine.dispose()
