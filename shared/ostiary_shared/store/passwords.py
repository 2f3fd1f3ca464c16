"""Password hashes. One of a person's is adopted; a sign-up's waits until the mailbox is proved where it came from."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.models import Password
from ostiary_shared.models.base import first_id


@dataclass(frozen=True, slots=True)
class SignUp:
    """A password that shall wait, the name that came with it, and the digest of where it came from."""

    user_id: UUID
    hashed: str
    origin: bytes | None = None
    name: str = ""


async def adopted(session: AsyncSession, user_id: UUID) -> str | None:
    """The hash that a sign-in is checked against."""
    return await session.scalar(
        select(Password.hash).where(Password.user_id == user_id, Password.adopted_at.is_not(None))
    )


async def waiting(session: AsyncSession, user_id: UUID, since: datetime | None = None) -> Password | None:
    """The newest sign-up that waits for its link; with `since`, of those from then on."""
    young = (Password.created_at >= since,) if since else ()
    return await session.scalar(
        select(Password)
        .where(Password.user_id == user_id, Password.adopted_at.is_(None), *young)
        .order_by(Password.created_at.desc(), Password.id.desc())
        .limit(1)
    )


async def waiting_from(
    session: AsyncSession, user_id: UUID, origins: Collection[bytes], first: UUID | None
) -> Password | None:
    """A sign-up that waits and came from one of these: `first` before others, else the newest."""
    if not origins:
        return None
    return await session.scalar(
        select(Password)
        .where(Password.user_id == user_id, Password.adopted_at.is_(None), Password.origin.in_(origins))
        .order_by((Password.id == first).is_not(True), Password.created_at.desc(), Password.id.desc())
        .limit(1)
    )


async def put(session: AsyncSession, user_id: UUID, hashed: str, now: datetime) -> None:
    """Make this the only password of the person, at once."""
    await session.execute(delete(Password).where(Password.user_id == user_id))
    session.add(Password(user_id=user_id, hash=hashed, created_at=now, adopted_at=now))
    await session.flush()


async def wait(session: AsyncSession, signup: SignUp, now: datetime) -> UUID:
    """Keep a sign-up's password until its mailbox is proved; its id goes into the mail's link."""
    row = Password(user_id=signup.user_id, hash=signup.hashed, origin=signup.origin, name=signup.name, created_at=now)
    session.add(row)
    await session.flush()
    return row.id


async def adopt(session: AsyncSession, user_id: UUID, password_id: UUID, now: datetime) -> bool:
    """Bring one waiting password to life and forget all others; False when it is no longer there."""
    await session.execute(delete(Password).where(Password.user_id == user_id, Password.id != password_id))
    done = await session.execute(
        update(Password)
        .where(Password.user_id == user_id, Password.id == password_id)
        .values(adopted_at=func.coalesce(Password.adopted_at, now))
        .returning(Password.id)
    )
    return done.first() is not None


async def rehash(session: AsyncSession, user_id: UUID, old: str, new: str) -> None:
    """Replace a hash by a stronger one of the same password, unless the password changed meanwhile."""
    await session.execute(update(Password).where(Password.user_id == user_id, Password.hash == old).values(hash=new))


async def forget_waiting(session: AsyncSession, user_id: UUID) -> None:
    """Forget the passwords of sign-ups that still wait."""
    await session.execute(delete(Password).where(Password.user_id == user_id, Password.adopted_at.is_(None)))


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` passwords that have waited for their link since before then; how many."""
    old = select(Password.id).where(Password.id < first_id(before), Password.adopted_at.is_(None)).limit(limit)
    return len((await session.execute(delete(Password).where(Password.id.in_(old)).returning(Password.id))).all())
