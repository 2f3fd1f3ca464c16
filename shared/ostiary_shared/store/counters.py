"""Rate limits: GCRA in one atomic statement, right however many processes ask at once."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import clock
from ostiary_shared.limit import Limit
from ostiary_shared.statements import Statements

# Taken only when the theoretical arrival time is no more than a burst ahead; the refused change nothing.
_TAKE = text("""
    INSERT INTO counters AS c (key, arrival) VALUES (:key, (:now)::timestamptz + (:interval)::interval)
    ON CONFLICT (key) DO UPDATE SET arrival = greatest(c.arrival, :now) + (:interval)::interval
    WHERE greatest(c.arrival, :now) + (:interval)::interval <= (:now)::timestamptz + (:period)::interval
    RETURNING true
""")
_WAIT = text("SELECT arrival FROM counters WHERE key = :key")
# The same for several keys at once. Their rows are locked in one order everywhere, so that nobody waits in a circle.
_TAKE_EACH = """
    WITH wanted AS (SELECT * FROM unnest($1::text[], $2::interval[], $3::interval[]) w (key, gap, period))
    INSERT INTO counters AS c (key, arrival) SELECT key, $4::timestamptz + gap FROM wanted
    ON CONFLICT (key) DO UPDATE SET arrival = greatest(c.arrival, $4) + (excluded.arrival - $4)
    WHERE greatest(c.arrival, $4) + (excluded.arrival - $4) <= $4 + (SELECT period FROM wanted w WHERE w.key = c.key)
    RETURNING key
"""
# An UPDATE would lock them as it likes. What was swept away meanwhile comes back as a count of less than nothing.
_GIVE_BACK_EACH = """
    INSERT INTO counters AS c (key, arrival)
    SELECT key, $3::timestamptz - gap FROM unnest($1::text[], $2::interval[]) w (key, gap)
    ON CONFLICT (key) DO UPDATE SET arrival = c.arrival - ($3 - excluded.arrival)
"""
_LATEST = "SELECT key, arrival FROM counters WHERE key = ANY ($1)"


async def take(session: AsyncSession, key: str, limit: Limit, now: datetime) -> int:
    """Count one use of `key`: 0 when it is within the limit, else the seconds to wait (at least 1)."""
    taken = await session.execute(_TAKE, {"key": key, "now": now, "interval": limit.interval, "period": limit.period})
    if taken.first():
        return 0
    return _seconds(await session.scalar(_WAIT, {"key": key}), limit, now)


async def take_alone(statements: Statements, key: str, limit: Limit) -> int:
    """The same in a transaction of its own, which stays whatever becomes of the request."""
    return await take_each(statements, {key: limit}, clock.now())


async def take_each(statements: Statements, wanted: Mapping[str, Limit], now: datetime) -> int:
    """Count one use of each key: 0 when all are within their limits; else none is counted, and how long to wait."""
    keys = sorted(wanted)
    gaps, periods = [wanted[key].interval for key in keys], [wanted[key].period for key in keys]
    taken = {row["key"] for row in await statements.rows(_TAKE_EACH, keys, gaps, periods, now)}
    if len(taken) == len(keys):
        return 0
    await give_back_each(statements, {key: wanted[key] for key in taken}, now)
    refused = [key for key in keys if key not in taken]
    latest = {row["key"]: row["arrival"] for row in await statements.rows(_LATEST, refused)}
    return max(_seconds(latest.get(key), wanted[key], now) for key in refused)


async def give_back_each(statements: Statements, taken: Mapping[str, Limit], now: datetime) -> None:
    """Forgive one use of each key, at once."""
    keys = sorted(taken)
    if keys:
        await statements.rows(_GIVE_BACK_EACH, keys, [taken[key].interval for key in keys], now)


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


def _seconds(arrival: datetime | None, limit: Limit, now: datetime) -> int:
    free_at = (arrival or now) + limit.interval - limit.period
    return max(1, int((free_at - now).total_seconds() + 0.999))
