"""Forgetting what nobody needs any more: tokens, ended sessions, waiting passwords, old mails and refusals, counters.

People are never removed here. The courier calls it every few minutes; several at once do no harm.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.database import Sessions
from ostiary_shared.store import (
    api_tokens,
    counters,
    denials,
    messages,
    one_time_tokens,
    passwords,
    revoked_tokens,
    sessions,
)

TOKENS_KEPT = timedelta(days=7)
WAITING_PASSWORDS_KEPT = timedelta(days=7)
SESSIONS_KEPT = timedelta(days=30)
MESSAGES_KEPT = timedelta(days=90)
DENIALS_KEPT = timedelta(days=90)
# So that one still sees why a program was turned away.
API_TOKENS_KEPT = timedelta(days=30)
REVOKED_KEPT = timedelta(hours=1)
# Rows a transaction: short enough that nobody waits for it.
PORTION = 2_000

Sweeper = Callable[[AsyncSession, datetime, int], Awaitable[int]]
SWEEPERS: tuple[tuple[Sweeper, timedelta], ...] = (
    (one_time_tokens.sweep, TOKENS_KEPT),
    (passwords.sweep, WAITING_PASSWORDS_KEPT),
    (sessions.sweep, SESSIONS_KEPT),
    (messages.sweep, MESSAGES_KEPT),
    (denials.sweep, DENIALS_KEPT),
    (api_tokens.sweep, API_TOKENS_KEPT),
    (revoked_tokens.sweep, REVOKED_KEPT),
)


async def sweep(places: Sessions, now: datetime) -> None:
    """Forget, portion by portion, each in a transaction of its own."""
    async with places.begin() as session:
        await counters.sweep(session, now)
    for sweeper, kept in SWEEPERS:
        swept = PORTION
        while swept == PORTION:
            async with places.begin() as session:
                swept = await sweeper(session, now - kept, PORTION)
