"""Single-use tokens and their typed twins. Consuming is one UPDATE: of fifty at once, one succeeds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, cast, delete, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.database import affected
from ostiary_shared.models import OneTimeToken
from ostiary_shared.models.base import first_id


class Purpose(StrEnum):
    """What a token is good for; it opens nothing else."""

    CONFIRM = "confirm"
    RECOVER = "recover"
    INVITE = "invite"
    CHANGE_EMAIL = "change-email"
    CLAIM = "claim"
    HANDOVER = "handover"


LIFETIMES = {
    Purpose.CONFIRM: timedelta(hours=24),
    Purpose.RECOVER: timedelta(minutes=30),
    Purpose.INVITE: timedelta(days=3),
    Purpose.CHANGE_EMAIL: timedelta(hours=2),
    Purpose.CLAIM: timedelta(hours=24),
    Purpose.HANDOVER: timedelta(seconds=60),
}

# The field of a token's subject that names the mail it left with.
MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Issue:
    """What a new token is bound to; `subject` carries ids only."""

    purpose: Purpose
    token_digest: bytes
    code_digest: bytes | None = None
    user_id: UUID | None = None
    email: str = ""
    subject: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a token was good for."""

    id: UUID
    user_id: UUID | None
    email: str
    subject: dict[str, str]


async def issue(session: AsyncSession, wanted: Issue, now: datetime) -> datetime:
    """Keep a new token's digests; until when it is good."""
    expires_at = now + LIFETIMES[wanted.purpose]
    session.add(
        OneTimeToken(
            purpose=wanted.purpose,
            token_digest=wanted.token_digest,
            code_digest=wanted.code_digest,
            user_id=wanted.user_id,
            email=wanted.email,
            subject=wanted.subject,
            created_at=now,
            expires_at=expires_at,
        )
    )
    await session.flush()
    return expires_at


async def peek(session: AsyncSession, purpose: Purpose, digest: bytes, now: datetime) -> Consumed | None:
    """What a live token would be good for, without using it (mail scanners follow links)."""
    columns = (OneTimeToken.id, OneTimeToken.user_id, OneTimeToken.email, OneTimeToken.subject)
    found = (
        await session.execute(select(*columns).where(*_live(purpose, now), OneTimeToken.token_digest == digest))
    ).first()
    return _consumed(found) if found else None


async def peek_code(
    session: AsyncSession, purpose: Purpose, digests: Collection[bytes], now: datetime
) -> Consumed | None:
    """The same by the typed twin, by each key. Count the guess first: this tells whether a code is right."""
    columns = (OneTimeToken.id, OneTimeToken.user_id, OneTimeToken.email, OneTimeToken.subject)
    found = (
        await session.execute(select(*columns).where(*_live(purpose, now), OneTimeToken.code_digest.in_(digests)))
    ).first()
    return _consumed(found) if found else None


async def used_by(session: AsyncSession, purpose: Purpose, digest: bytes) -> UUID | None:
    """Whose used-up token this is, so that a second click gets a friendly answer."""
    return await session.scalar(
        select(OneTimeToken.user_id).where(
            OneTimeToken.purpose == purpose, OneTimeToken.token_digest == digest, OneTimeToken.consumed_at.is_not(None)
        )
    )


async def consume(
    session: AsyncSession, purpose: Purpose, digest: bytes, now: datetime, bound: Mapping[str, str] | None = None
) -> Consumed | None:
    """Use a token up. None when it is unknown, used, voided, expired, meant for something else or not `bound` so."""
    which = [*_live(purpose, now), OneTimeToken.token_digest == digest]
    if bound:
        which.append(OneTimeToken.subject.contains(bound))
    return await _consume(session, now, *which)


async def consume_seen(session: AsyncSession, seen: Consumed, purpose: Purpose, now: datetime) -> Consumed | None:
    """Use up a token that was looked at before; None when somebody was faster."""
    return await _consume(session, now, *_live(purpose, now), OneTimeToken.id == seen.id)


async def void(session: AsyncSession, now: datetime, user_id: UUID, *purposes: Purpose) -> None:
    """Make a person's outstanding tokens worthless: those of `purposes`, or all."""
    which = [OneTimeToken.user_id == user_id, OneTimeToken.consumed_at.is_(None), OneTimeToken.voided_at.is_(None)]
    if purposes:
        which.append(OneTimeToken.purpose.in_(purposes))
    await session.execute(update(OneTimeToken).where(*which).values(voided_at=now))


async def supersede(session: AsyncSession, now: datetime, newer: Issue) -> None:
    """Make what earlier mails carried worthless once a newer one is on its way; what its own mail carried stays good.

    A confirmation ends only those of the same sign-up: each sign-up has a link that adopts its own password.
    """
    which = [*_live(newer.purpose, now), OneTimeToken.user_id == newer.user_id]
    which.append(~OneTimeToken.subject.contains({MESSAGE: newer.subject[MESSAGE]}))
    if newer.purpose == Purpose.CONFIRM:
        same_signup = {name: value for name, value in newer.subject.items() if name != MESSAGE}
        which.append(OneTimeToken.subject.op("-")(MESSAGE) == cast(same_signup, JSONB))
    await session.execute(
        update(OneTimeToken).where(*which).values(voided_at=now).execution_options(synchronize_session=False)
    )


async def void_everybodys(session: AsyncSession, now: datetime) -> int:
    """Make all outstanding tokens worthless; how many were still good."""
    outstanding = (OneTimeToken.consumed_at.is_(None), OneTimeToken.voided_at.is_(None))
    done = await session.execute(
        update(OneTimeToken)
        .where(*outstanding, OneTimeToken.expires_at > now)
        .values(voided_at=now)
        .execution_options(synchronize_session=False)
    )
    return affected(done)


async def void_claims(session: AsyncSession, now: datetime) -> None:
    """Make earlier claim links worthless: the newest alone is good."""
    await session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.purpose == Purpose.CLAIM, OneTimeToken.consumed_at.is_(None), OneTimeToken.voided_at.is_(None)
        )
        .values(voided_at=now)
    )


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` tokens that expired before then; how many."""
    expired = OneTimeToken.expires_at < before
    old = select(OneTimeToken.id).where(OneTimeToken.id < first_id(before), expired).limit(limit)
    gone = delete(OneTimeToken).where(OneTimeToken.id.in_(old)).returning(OneTimeToken.id)
    return len((await session.execute(gone)).all())


def _live(purpose: Purpose, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeToken.purpose == purpose,
        OneTimeToken.consumed_at.is_(None),
        OneTimeToken.voided_at.is_(None),
        OneTimeToken.expires_at > now,
    )


async def _consume(session: AsyncSession, now: datetime, *which: ColumnElement[bool]) -> Consumed | None:
    done = await session.execute(
        update(OneTimeToken)
        .where(*which)
        .values(consumed_at=now)
        .returning(OneTimeToken.id, OneTimeToken.user_id, OneTimeToken.email, OneTimeToken.subject)
        .execution_options(synchronize_session=False)
    )
    found = done.first()
    return _consumed(found) if found else None


def _consumed(row: Row[*tuple[Any, ...]]) -> Consumed:
    return Consumed(row.id, row.user_id, row.email, row.subject)
