"""Rate limits: GCRA in one atomic statement, right however many processes ask at once."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.limit import Limit

# Taken only when the theoretical arrival time is no more than a burst ahead; the refused change nothing.
_TAKE = text("""
    INSERT INTO counters AS c (key, arrival) VALUES (:key, (:now)::timestamptz + (:interval)::interval)
    ON CONFLICT (key) DO UPDATE SET arrival = greatest(c.arrival, :now) + (:interval)::interval
    WHERE greatest(c.arrival, :now) + (:interval)::interval <= (:now)::timestamptz + (:period)::interval
    RETURNING true
""")
_WAIT = text("SELECT arrival FROM counters WHERE key = :key")


async def take(session: AsyncSession, key: str, limit: Limit, now: datetime) -> int:
    """Count one use of `key`: 0 when it is within the limit, else the seconds to wait (at least 1)."""
    taken = await session.execute(_TAKE, {"key": key, "now": now, "interval": limit.interval, "period": limit.period})
    if taken.first():
        return 0
    arrival = await session.scalar(_WAIT, {"key": key})
    free_at = (arrival or now) + limit.interval - limit.period
    return max(1, int((free_at - now).total_seconds() + 0.999))


async def take_alone(sessions: Sessions, key: str, limit: Limit) -> int:
    """The same in a transaction of its own, which stays whatever becomes of the request."""
    async with sessions.begin() as session:
        return await take(session, key, limit, clock.now())


async def give_back(session: AsyncSession, key: str, limit: Limit) -> None:
    """Forgive one use of `key`: what was counted turned out to be right."""
    await session.execute(
        text("UPDATE counters SET arrival = arrival - (:interval)::interval WHERE key = :key"),
        {"key": key, "interval": limit.interval},
    )


async def clear(session: AsyncSession, key: str) -> None:
    """Forgive all uses of `key`."""
    await session.execute(text("DELETE FROM counters WHERE key = :key"), {"key": key})


async def sweep(session: AsyncSession, now: datetime) -> None:
    """Forget counters that no longer hold anybody up."""
    await session.execute(text("DELETE FROM counters WHERE arrival < :now"), {"now": now})
