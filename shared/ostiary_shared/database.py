"""Engines and sessions: how a process reaches PostgreSQL. Nothing here knows a table."""

import asyncio
import time
from collections.abc import Callable
from errno import EHOSTUNREACH, ENETUNREACH
from functools import partial
from socket import gaierror
from ssl import SSLError
from typing import Any, cast

import asyncpg
from sqlalchemy import CursorResult, ExceptionContext, Result, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from ostiary_shared import metrics, spans
from ostiary_shared.release import NEEDS_SCHEMA, SCHEMA, VERSION

Sessions = async_sessionmaker[AsyncSession]
# All that SQLAlchemy need know: the connections are made by `connect`.
DIALECT = "postgresql+asyncpg://"

# Seconds. A request that cannot have a connection in a second is answered 503 rather than kept waiting.
POOL_WAIT = 1.0
CONNECT_TIMEOUT = 3.0
STATEMENT_TIMEOUT_MS = 5_000
# The server ends a statement by itself; only from one that has fallen silent nothing comes for a second longer.
PATIENCE = {"timeout": CONNECT_TIMEOUT, "command_timeout": STATEMENT_TIMEOUT_MS / 1000 + 1}
# Seconds to wait when a password is refused: it may be the old one, and the file may hold the new one by then.
PASSWORD_PAUSES = (0.05, 0.2, 0.75)

MIGRATE = "Run ./ostiary migrate; this process goes on by itself then."
_LIVES_WITH = text("SELECT max(lives_with) FROM schema_revisions HAVING bool_or(revision = :at)")


async def connect(database_url: str, **options: Any) -> Any:
    """One asyncpg connection. The URL says all that libpq's would: `sslmode`, `sslrootcert`, `passfile`, `host`.

    A `passfile` is read each time, so that a password is changed without a restart. `options` are asyncpg's.
    """
    for pause in PASSWORD_PAUSES:
        try:
            return await asyncpg.connect(database_url, **options)
        except asyncpg.InvalidPasswordError:
            await asyncio.sleep(pause)
    return await asyncpg.connect(database_url, **options)


def make_engine(database_url: str, application_name: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine whose waits are all bounded. Connects on first use only, and tells the database which release it is.

    `pool_pre_ping` turns the one error per connection after a database restart into none.
    """
    settings = {
        "application_name": f"{application_name} {VERSION}",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": "5000",
        "timezone": "UTC",
    }
    engine = create_async_engine(
        DIALECT,
        async_creator=partial(connect, database_url, **PATIENCE, server_settings=settings),
        poolclass=Pool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
        pool_pre_ping=True,
        hide_parameters=True,  # an error must not carry an address or a digest into the log
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_the_silent)
    if spans.tracing():
        _trace(engine)
    return engine


def _give_up_the_silent(context: ExceptionContext) -> None:
    """Nothing came in time: on this connection not even a ROLLBACK would be answered, nor on those opened before."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True


def _trace(engine: AsyncEngine) -> None:
    """Let every statement be a step of the trace it belongs to."""

    def begin(*said: Any) -> None:
        said[4].ostiary_began = time.perf_counter()

    def end(*said: Any) -> None:
        _connection, _cursor, statement, _values, context, _many = said
        spans.tracer().asked_database(statement, time.perf_counter() - context.ostiary_began)

    def fail(context: ExceptionContext) -> None:
        began = getattr(context.execution_context, "ostiary_began", None)
        if began is not None:
            kind = type(context.original_exception).__name__
            spans.tracer().asked_database(context.statement or "", time.perf_counter() - began, kind)

    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine, "after_cursor_execute", end)
    event.listen(engine.sync_engine, "handle_error", fail)


class Pool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool, with the time that work waits for a connection."""

    def _do_get(self) -> ConnectionPoolEntry:
        began = time.perf_counter()
        try:
            found = super()._do_get()
        except PoolTimeoutError:
            metrics.not_connected("work")
            raise
        metrics.connected("work", time.perf_counter() - began)
        return found


def pool_sampler(engine: AsyncEngine) -> Callable[[], None]:
    """What notes how many of an engine's connections are in use, whenever it is called."""
    pool = cast("Pool", engine.pool)
    return metrics.pool_sampler("work", pool.checkedout, pool.size())


def make_sessions(engine: AsyncEngine) -> Sessions:
    """Sessions that keep loaded rows usable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def trouble(sessions: Sessions) -> str:
    """Why a service cannot do its work with this database now, in words; empty when it can."""
    try:
        async with sessions() as session:
            at = await session.scalar(text("SELECT version_num FROM alembic_version")) or ""
            lives_with = await session.scalar(_LIVES_WITH, {"at": at}) if at > SCHEMA else None
            metrics.on_schema(at)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        if _state(error) == "42P01":
            return f"The database has no tables yet. {MIGRATE}"
        return f"The database does not answer: {type(error).__name__}."
    return unfit(at, lives_with)


def unfit(at: str, lives_with: str | None) -> str:
    """Why this code must not serve on a schema at revision `at`; empty when it may.

    The schema says itself from which revision on code may `lives_with` it, should it be newer than this code.
    """
    if at < NEEDS_SCHEMA:
        return f"The database is at revision {at}, and release {VERSION} needs {NEEDS_SCHEMA} or later. {MIGRATE}"
    if at > SCHEMA and (lives_with is None or lives_with > SCHEMA):
        return (
            f"The database is at revision {at}, upgraded by a later release, and serves code that knows revision "
            f"{lives_with or at} or later; release {VERSION} knows {SCHEMA}. Start the later release instead."
        )
    return ""


def affected(result: Result[Any]) -> int:
    """How many rows a statement changed."""
    return cast("CursorResult[Any]", result).rowcount


def is_away(error: BaseException) -> bool:
    """Whether an error means that PostgreSQL cannot be reached or is restarting, rather than that we did wrong."""
    # A missing file is the socket of a server that is down; an unknown name is a container that is being replaced.
    if isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError | FileNotFoundError | gaierror | SSLError):
        return True
    if type(error) is OSError and error.errno in {None, EHOSTUNREACH, ENETUNREACH}:
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # asyncpg's own word for a connection that was closed a moment ago.
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        return True
    # 08: connection failures; 57P0x: the server is going down or coming up; 53: out of resources.
    state = _state(error)
    return state[:2] in {"08", "53"} or state[:4] == "57P0"


def lost_a_race(error: BaseException) -> bool:
    """Whether two transactions were in each other's way and this one was undone: trying again is right."""
    return _state(error) in {"40P01", "40001", "55P03"}


def is_outdated(error: BaseException) -> bool:
    """Whether a migration has overtaken what a connection had prepared. Nothing was done; the next try is fresh."""
    cause = getattr(getattr(error, "orig", error), "__cause__", None) or error
    return isinstance(cause, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError)


def broken_constraint(error: BaseException) -> str:
    """The name of the constraint that a statement or a commit violated; empty for other errors."""
    cause = getattr(getattr(error, "orig", None), "__cause__", None)
    return str(getattr(cause, "constraint_name", None) or "")


def _state(error: BaseException) -> str:
    """The SQLSTATE, whether SQLAlchemy or asyncpg brought the error."""
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None) or ""
