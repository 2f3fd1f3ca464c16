"""Single statements on connections of their own: each a transaction by itself, in one round trip, past SQLAlchemy.

For what every door and every sign-in asks: 50 µs of CPU instead of 600. All else is done in a `work`.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from ostiary_shared import metrics, spans
from ostiary_shared.database import CONNECT_TIMEOUT, POOL_WAIT, STATEMENT_TIMEOUT_MS, connect

CONNECTIONS = 8
POOL = "statements"


class Statements:
    """Connections that keep no state between statements, so that none is reset after one or pinged before.

    The event loop notices when the server closes one. On any error a connection is thrown away.
    """

    def __init__(self, database_url: str, application_name: str) -> None:
        self._url = database_url
        self._name = application_name
        self._idle: list[Any] = []
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._used = 0
        self.sample = metrics.pool_sampler(POOL, lambda: self._used, CONNECTIONS)

    async def close(self) -> None:
        """Let go of the connections."""
        while self._idle:
            await self._idle.pop().close(timeout=CONNECT_TIMEOUT)

    async def rows(self, statement: str, *values: Any) -> Sequence[Any]:
        """What one statement returns; its values are written $1, $2 and so on."""
        if self._room.locked():
            await self._wait()
        else:
            await self._room.acquire()
        try:
            return await self._fetch(statement, values)
        finally:
            self._room.release()

    async def row(self, statement: str, *values: Any) -> Any:
        """The first row of it, or None."""
        found = await self.rows(statement, *values)
        return found[0] if found else None

    async def _wait(self) -> None:
        began = time.perf_counter()
        try:
            await asyncio.wait_for(self._room.acquire(), POOL_WAIT)
        except TimeoutError:
            metrics.not_connected(POOL)
            raise
        metrics.connected(POOL, time.perf_counter() - began)

    async def _fetch(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        connection, began = await self._connection(), time.perf_counter()
        self._used += 1
        try:
            found: Sequence[Any] = await connection.fetch(statement, *values)
        except BaseException as error:
            connection.terminate()
            spans.tracer().asked_database(statement, time.perf_counter() - began, type(error).__name__)
            raise
        finally:
            self._used -= 1
        spans.tracer().asked_database(statement, time.perf_counter() - began)
        self._idle.append(connection)
        return found

    async def _connection(self) -> Any:
        while self._idle:
            connection = self._idle.pop()  # the last used one: its plans and its memory are warm
            if not connection.is_closed():
                return connection
        return await connect(
            self._url,
            timeout=CONNECT_TIMEOUT,
            command_timeout=STATEMENT_TIMEOUT_MS / 1000,
            server_settings={
                "application_name": self._name,
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "timezone": "UTC",
                # Planning these takes longer than running them, and no value makes another plan better.
                "plan_cache_mode": "force_generic_plan",
            },
        )
