"""The processes that answer from memory: which of them are old. Their leases are their own business."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.models import Replica

# Many times the lease: who was not heard for so long is gone, or restarted by now.
SILENT = timedelta(seconds=10)


async def started_before(session: AsyncSession, moment: datetime) -> list[str]:
    """The names of those that serve now and did so before."""
    alive = Replica.heard_at > func.now() - SILENT
    names = select(Replica.name).where(alive, Replica.started_at < moment).order_by(Replica.name)
    return list(await session.scalars(names))
