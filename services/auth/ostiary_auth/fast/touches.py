"""Writing down that sessions were used: many at once, some seconds later, so that no answer waits for it."""

import asyncio
import contextlib
import logging
from uuid import UUID

import asyncpg

from ostiary_auth.fast import record
from ostiary_auth.fast.memory import Memory
from ostiary_shared import clock
from ostiary_shared.statements import Statements
from ostiary_shared.store.sessions import TOUCH_EVERY

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
MOST_AT_ONCE = 1_000
_SESSIONS = """
    WITH used AS (
        UPDATE sessions SET last_seen_at = $2
        WHERE id = ANY ($1::uuid[]) AND ended_at IS NULL AND last_seen_at < $3 RETURNING user_id
    )
    UPDATE users SET last_seen_at = $2 WHERE id IN (SELECT user_id FROM used) AND last_seen_at < $3
"""
_TOKENS = """
    UPDATE api_tokens SET last_used_at = $2
    WHERE id = ANY ($1::uuid[]) AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < $3)
"""


async def keep(memory: Memory, statements: Statements, stop: asyncio.Event) -> None:
    """Write every few seconds, and once more at the end."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
        await write(statements, memory.take_used())


async def write(statements: Statements, used: list[bytes]) -> None:
    """Note the use of these records' sessions and tokens. A database that is away loses a few seconds of it."""
    ids: tuple[list[UUID], list[UUID]] = ([], [])
    for kept in used:
        head = record.head(kept)
        ids[1 if head[record.MACHINE] else 0].append(UUID(bytes=head[record.ID]))
    now = clock.now()
    for statement, wanted in zip((_SESSIONS, _TOKENS), ids, strict=True):
        for first in range(0, len(wanted), MOST_AT_ONCE):
            try:
                await statements.rows(statement, wanted[first : first + MOST_AT_ONCE], now, now - TOUCH_EVERY)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("the use of sessions was not noted: %s", type(error).__name__)
