"""Closing a place and emptying it of what is Ostiary's, in the transaction of a restore."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ostiary.backups.place import OWNER
from ostiary.faults import Finding, Refusal
from ostiary_shared.database import lost_a_race
from ostiary_shared.migrations.running import LOCK

TRIES = 10
WAIT = "5s"

_OURS = """
    SELECT kind, string_agg(name, ', ') AS names FROM (
        SELECT 'pg_class'::regclass AS catalog, oid,
               CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
               ELSE 'TABLE' END AS kind, format('public.%I', relname) AS name
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner = $1::regrole
          AND relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL
        SELECT 'pg_proc'::regclass, oid, 'ROUTINE',
               format('public.%I(%s)', proname, pg_get_function_identity_arguments(oid))
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = $1::regrole
        UNION ALL
        SELECT 'pg_type'::regclass, oid, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
               format('public.%I', typname)
        FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typowner = $1::regrole AND typtype IN ('d', 'e')
    ) ours
    WHERE NOT EXISTS ( -- what goes with something else
        SELECT FROM pg_depend WHERE classid = catalog AND objid = ours.oid AND deptype IN ('i', 'a', 'e')
        AND refclassid <> 'pg_namespace'::regclass
    )
    GROUP BY kind
    ORDER BY array_position(ARRAY['VIEW', 'MATERIALIZED VIEW', 'TABLE', 'SEQUENCE', 'ROUTINE', 'DOMAIN', 'TYPE'], kind)
"""
_OPEN = "SELECT has_schema_privilege($1, 'public', 'CREATE')"


@dataclass(frozen=True, slots=True)
class Before:
    """What must outlive the tables: who answers from memory, the last barrier, which API tokens were good."""

    replicas: list[dict[str, Any]] = field(default_factory=list)
    barrier: int = 0
    tokens: list[UUID] | None = None


async def closed(connection: AsyncConnection) -> Before:
    """Begin a transaction in which nobody else reads or writes our tables. What stands in them that must outlive them.

    Services hold their locks for moments only; whoever is in the way of the other is undone and tried again.
    """
    for _ in range(TRIES):
        try:
            return await _close(connection)
        except DBAPIError as error:
            if not lost_a_race(error):
                raise
            await connection.rollback()
    raise Finding("the tables are in use all the time; stop the services and try again; nothing was changed.")


async def clear(raw: Any) -> None:
    """Drop what is ours, and nothing that depends on it."""
    try:
        for kind, names in await raw.fetch(_OURS, OWNER):
            await raw.execute(f"DROP {kind} {names}")
    except asyncpg.DependentObjectsStillExistError as error:
        raise Refusal(
            f"something that is not Ostiary's depends on its tables ({error.detail}); drop it first."
        ) from None


async def _close(connection: AsyncConnection) -> Before:
    await connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
    await connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT}'"))
    if not await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
        raise Finding("the database is being upgraded at this moment; try again when that has ended.")
    raw: Any = (await connection.get_raw_connection()).driver_connection
    if not await raw.fetchval(_OPEN, OWNER):
        raise Refusal(f"{OWNER} may make no tables in this database; run ./ostiary migrate with a superuser's URL.")
    tables = next((names for kind, names in await raw.fetch(_OURS, OWNER) if kind == "TABLE"), "")
    if not tables:
        return Before()
    await connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
    if "public.replicas" not in tables.split(", "):
        return Before()
    replicas = await raw.fetch("SELECT id, name, started_at, heard_at, beats, acknowledged FROM public.replicas")
    tokens = await raw.fetch("SELECT id FROM public.api_tokens WHERE revoked_at IS NULL")
    barrier = await raw.fetchval("SELECT last_value FROM public.revocations")
    return Before([dict(row) for row in replicas], barrier, [row["id"] for row in tokens])
