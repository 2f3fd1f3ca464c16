"""Signing keys as rows; sealing and signing are auth's business."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from ostiary_shared import revocation
from ostiary_shared.database import affected
from ostiary_shared.models import SigningKey

# Longer than the longest-lived signature (five minutes), what a process takes to hear of it (two), and clocks differ.
SHOWN_AFTERWARDS = timedelta(minutes=10)
_MAKING = 0x0571A3


async def lock(session: AsyncSession) -> None:
    """Let one process at a time make keys; held until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})


async def published(session: AsyncSession, now: datetime) -> list[SigningKey]:
    """The keys whose signatures may still be met at `now`, the newest first, with their sealed private halves."""
    rows = await session.scalars(
        select(SigningKey)
        .where(or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > now - SHOWN_AFTERWARDS))
        .options(undefer(SigningKey.sealed_private))
        .order_by(SigningKey.created_at.desc(), SigningKey.kid)
    )
    return list(rows)


async def add(session: AsyncSession, key: SigningKey) -> None:
    """Keep a new key."""
    session.add(key)
    revocation.mark(session)
    await session.flush()


async def replace_seal(session: AsyncSession, kid: str, old: bytes, new: bytes) -> int:
    """Keep the private half sealed otherwise, unless somebody else did so meanwhile; how many were (0 or 1)."""
    which = update(SigningKey).where(SigningKey.kid == kid, SigningKey.sealed_private == old)
    statement = which.values(sealed_private=new).execution_options(synchronize_session=False)
    return affected(await session.execute(statement))


async def withdraw_all(session: AsyncSession, now: datetime) -> None:
    """Neither sign with nor show any key that there is: what it signed is not to be believed."""
    revocation.mark(session)
    shown = or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > now - SHOWN_AFTERWARDS)
    await session.execute(update(SigningKey).where(shown).values(retired_at=now - SHOWN_AFTERWARDS))


async def retire(session: AsyncSession, kid: str, now: datetime) -> None:
    """Sign with this key no more; it stays published for `SHOWN_AFTERWARDS`."""
    await _retire(session, now, SigningKey.kid == kid)


async def retire_all(session: AsyncSession, when: datetime) -> None:
    """The same for every key there is, from `when` on, unless it retires before."""
    await _retire(session, when)


async def _retire(session: AsyncSession, when: datetime, *which: ColumnElement[bool]) -> None:
    revocation.mark(session)
    longer = or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > when)
    await session.execute(update(SigningKey).where(longer, *which).values(retired_at=when))
