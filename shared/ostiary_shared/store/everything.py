"""All sessions, tokens and links together: how many are alive, and the one word that tells replicas of their end."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.models import ApiToken, OneTimeToken, Session
from ostiary_shared.store.sessions import alive as living


@dataclass(frozen=True, slots=True)
class Left:
    """Living tokens that were made before some moment, and when the last of them ends by itself."""

    sessions: int
    api_tokens: int
    until: datetime | None


async def alive(session: AsyncSession, now: datetime) -> tuple[int, int, int]:
    """How many sessions, API tokens, and mailed links with their codes are good at `now`."""
    asked = (
        select(func.count()).select_from(Session).where(*living(now)),
        select(func.count()).select_from(ApiToken).where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now),
        select(func.count())
        .select_from(OneTimeToken)
        .where(OneTimeToken.consumed_at.is_(None), OneTimeToken.voided_at.is_(None), OneTimeToken.expires_at > now),
    )
    counts = [await session.scalar(question) or 0 for question in asked]
    return counts[0], counts[1], counts[2]


async def made_before(session: AsyncSession, moment: datetime, now: datetime) -> Left:
    """The sessions and API tokens from before `moment` that are good at `now`."""
    old = (
        select(func.count(), func.max(Session.expires_at)).where(*living(now), Session.created_at < moment),
        select(func.count(), func.max(ApiToken.expires_at)).where(
            ApiToken.revoked_at.is_(None), ApiToken.expires_at > now, ApiToken.created_at < moment
        ),
    )
    (sessions, first), (programs, second) = [(await session.execute(question)).one() for question in old]
    return Left(sessions, programs, max(filter(None, (first, second)), default=None))


async def begin(session: AsyncSession) -> None:
    """Let this transaction end everything, however long it takes: replicas hear of it in one word, not row by row."""
    revocation.mark(session)
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(text("SET LOCAL ostiary.everybody = 'yes'"))
    await session.execute(select(func.pg_notify(revocation.CHANNEL, "*")))
