"""Signing keys as rows; sealing and signing are auth's business."""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from ostiary_shared.models import SigningKey

_MAKING = 0x0571A3


async def lock(session: AsyncSession) -> None:
    """Let one process at a time make keys; held until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})


async def published(session: AsyncSession) -> list[SigningKey]:
    """All keys that verifiers may still meet, the newest first, with their sealed private halves."""
    rows = await session.scalars(
        select(SigningKey).options(undefer(SigningKey.sealed_private)).order_by(SigningKey.created_at.desc())
    )
    return list(rows)
