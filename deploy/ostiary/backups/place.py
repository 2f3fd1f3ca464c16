"""What there is in a database: whose it is, the rows of every table of ours, and what happened there lately."""

from datetime import datetime
from typing import Any

from ostiary.backups.terms import Place
from ostiary.faults import Refusal
from ostiary_shared.database import connect
from ostiary_shared.migrations import ROLES

OWNER = ROLES[0]
# Rows that say nothing elsewhere or later: who answers from memory at this moment, and how often somebody knocked.
UNCOUNTED = ("replicas", "counters")

_STANDING = """
    SELECT current_database() AS database, current_setting('server_version_num')::int / 10000 AS server,
           (SELECT array_agg(wanted) FROM unnest($1::text[]) wanted
            WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)) AS missing,
           EXISTS (SELECT FROM pg_roles WHERE rolname = $2 AND pg_has_role(oid, 'SET')) AS owns
"""
_TABLES = """
    SELECT relname, pg_get_userbyid(relowner) = $1 AS ours FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    ORDER BY relname
"""
_COUNTED = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND pg_get_userbyid(relowner) = $1 AND relpersistence = 'p' AND relname <> ALL($2) ORDER BY relname
"""
_FUNCTIONS = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proowner <> $1::regrole AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
    ORDER BY 1
"""


async def reached(url: str) -> Any:
    """A connection of somebody who may act for ostiary_owner, and does; its server is fit for it."""
    connection = await connect(url, timeout=10, server_settings={"application_name": "ostiary-operator"})
    try:
        standing = await connection.fetchrow(_STANDING, list(ROLES), OWNER)
        if standing["missing"]:
            raise Refusal(
                f"the server has no role {', '.join(standing['missing'])}; run ./ostiary migrate on this database with "
                "the URL of a superuser, --owner-password-file, --auth-password-file and --admin-password-file, then "
                "try again."
            )
        if not standing["owns"]:
            raise Refusal("backups are for ostiary_owner or a superuser; put such a URL into OSTIARY_DATABASE_URL.")
        await connection.execute(f"SET ROLE {OWNER}; SET timezone = 'UTC'")
    except BaseException:
        await connection.close(timeout=5)
        raise
    return connection


async def look(url: str, since: datetime | None = None) -> Place:
    """The place as it is; what was audited `since` is counted by name."""
    connection = await reached(url)
    try:
        return await read(connection, since)
    finally:
        await connection.close(timeout=5)


async def read(connection: Any, since: datetime | None = None) -> Place:
    """The same, in the caller's transaction."""
    standing = await connection.fetchrow(_STANDING, list(ROLES), OWNER)
    counted = await counts(connection)
    revision = await connection.fetchval("SELECT version_num FROM alembic_version") if _has_schema(counted) else None
    newest, undone = None, {}
    if "audit_events" in counted:
        newest = await connection.fetchval("SELECT max(at) FROM audit_events")
        acts = "SELECT event, count(*) FROM audit_events WHERE at > $1 GROUP BY event ORDER BY event"
        undone = dict(await connection.fetch(acts, since)) if since else {}
    return Place(standing["database"], standing["server"], revision, counted, newest, undone)


async def counts(connection: Any) -> dict[str, int]:
    """How many rows each table of ours has, but for those that are not kept."""
    names = [row["relname"] for row in await connection.fetch(_COUNTED, OWNER, list(UNCOUNTED))]
    return {name: await connection.fetchval(f'SELECT count(*) FROM public."{name}"') for name in names}  # noqa: S608


async def others(connection: Any) -> list[str]:
    """Tables, views and sequences in our schema that are somebody else's."""
    return [row["relname"] for row in await connection.fetch(_TABLES, OWNER) if not row["ours"]]


async def functions_of_others(url: str) -> list[str]:
    """Functions in our schema that are somebody else's, and no extension's: pg_dump knows no way to leave them out."""
    connection = await reached(url)
    try:
        return [row[0] for row in await connection.fetch(_FUNCTIONS, OWNER)]
    finally:
        await connection.close(timeout=5)


def _has_schema(counted: dict[str, int]) -> bool:
    return "alembic_version" in counted
