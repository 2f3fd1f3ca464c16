"""Signed tokens that are not to be believed any more; remembered until they would have run out by themselves."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.models import RevokedToken


async def add(session: AsyncSession, jti: str, expires_at: datetime) -> bool:
    """Revoke the token with this id; False when it was revoked before."""
    statement = insert(RevokedToken).values(jti=jti, expires_at=expires_at).on_conflict_do_nothing()
    return (await session.execute(statement.returning(RevokedToken.jti))).first() is not None


async def contains(session: AsyncSession, jti: str) -> bool:
    """Whether the token with this id was revoked."""
    return await session.scalar(select(RevokedToken.jti).where(RevokedToken.jti == jti)) is not None


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` that ran out before then; how many."""
    old = select(RevokedToken.jti).where(RevokedToken.expires_at < before).limit(limit)
    done = await session.execute(delete(RevokedToken).where(RevokedToken.jti.in_(old)).returning(RevokedToken.jti))
    return len(done.all())
