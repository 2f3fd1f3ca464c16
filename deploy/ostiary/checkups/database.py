"""The database: who we are there, does the schema fit, does anybody administer, who answers from memory, what waits."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import asyncpg

from ostiary.checkups import Found, fault, fine, warning
from ostiary.database import REPLICAS
from ostiary_shared import clock
from ostiary_shared.database import connect, make_engine, make_sessions, trouble

WAIT = 5.0  # seconds
OLDEST = 18_00_00
SKEW = timedelta(seconds=5)
LATE = timedelta(minutes=5)

FACTS = """
SELECT current_setting('server_version_num')::int AS version, clock_timestamp() AS now, current_user AS role,
       inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1' AS local,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls,
       to_regclass('alembic_version') IS NOT NULL AS made
"""
SCHEMA = "SELECT version_num FROM alembic_version"
LATE_MAIL = """
SELECT count(*) AS waiting, min(created_at) AS oldest, max(last_reply) AS reply, bool_or(attempts = 0) AS untried
FROM messages
WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL AND created_at < $1
"""


async def look(url: str) -> list[Found]:
    """All of it. What cannot be read for want of a right is said, not raised."""
    try:
        connection = await connect(url, timeout=WAIT, command_timeout=WAIT)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        remedy = "Is OSTIARY_DATABASE_URL right, does the server run, and may this machine reach it?"
        return [fault("database", f"it does not let us in: {error or type(error).__name__}", remedy)]
    try:
        return [one async for one in _looked(connection, url)]
    except asyncpg.InsufficientPrivilegeError as error:
        remedy = "Use the URL of ostiary_owner for this command."
        return [warning("database", f"this user may not look at everything: {error}", remedy)]
    finally:
        await connection.close()


async def _looked(connection: Any, url: str) -> AsyncIterator[Found]:
    facts = await connection.fetchrow(FACTS)
    for one in _server(facts):
        yield one
    if not facts["made"]:
        yield fault("schema", "there are no tables", "Run ./ostiary migrate.")
        return
    yield _schema(await connection.fetchval(SCHEMA), await _objection(url))
    if not await connection.fetchval("SELECT usable_admins()"):
        yield warning("administrator", "nobody administers", "Run ./ostiary users claim-link, and open what it prints.")
    else:
        yield fine("administrator", "somebody administers")
    yield _replicas([row["name"] for row in await connection.fetch(REPLICAS)])
    yield _mail(await connection.fetchrow(LATE_MAIL, facts["now"] - LATE))


def _server(facts: Any) -> Iterator[Found]:
    number = f"{facts['version'] // 10_000}.{facts['version'] % 10_000}"
    if facts["version"] < OLDEST:
        yield fault("database", f"it is PostgreSQL {number}", "Ostiary needs PostgreSQL 18 or newer.")
    else:
        yield fine("database", f"PostgreSQL {number}, as {facts['role']}")
    if not facts["local"] and not facts["tls"]:
        remedy = (
            "Add ?sslmode=verify-full&sslrootcert=/path to OSTIARY_DATABASE_URL, unless that network is yours alone."
        )
        yield warning("database TLS", "what goes to the database can be read on its way", remedy)
    skew = facts["now"] - clock.now()
    if abs(skew) > SKEW:
        saw = f"this machine and the database differ by {abs(skew).total_seconds():.0f} seconds"
        yield fault("clock", saw, "Let both keep their time by NTP: codes and sessions end by the clock.")
    else:
        yield fine("clock", "this machine and the database agree")


async def _objection(url: str) -> str:
    """What a service says at /readyz of this database."""
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        return await trouble(make_sessions(engine))
    finally:
        await engine.dispose()


def _schema(at: str, objection: str) -> Found:
    if objection:
        return fault("schema", objection, "See docs/operating/upgrade.md.")
    return fine("schema", f"revision {at}")


def _replicas(alive: list[str]) -> Found:
    if not alive:
        remedy = "Is auth running? With OSTIARY_MEMORY_SESSIONS=0 none does, and this is as it should be."
        return warning("replicas", "no process of auth answers from memory", remedy)
    return fine("replicas", f"{len(alive)} alive: {', '.join(alive)}")


def _mail(late: Any) -> Found:
    if not late["waiting"]:
        return fine("outbox", "no mail waits for longer than five minutes")
    mails = "1 mail waits" if late["waiting"] == 1 else f"{late['waiting']} mails wait"
    saw = f"{mails} since {late['oldest']:%Y-%m-%d %H:%M} UTC"
    if late["untried"]:
        return fault("outbox", saw, "Nobody tries to send it. Start the courier: ./ostiary serve courier.")
    return warning(
        "outbox", f"{saw}; the server said: {late['reply']}", "It is tried again. The console's Mail page has all."
    )
