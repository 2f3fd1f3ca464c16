"""API tokens: what a person's programs carry. Who may make one, and with which scopes, is the flow's business."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, delete, exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.identity import API_TOKEN, Presented, SessionFacts, narrowed
from ostiary_shared.models import ApiToken, Message, User
from ostiary_shared.store import users
from ostiary_shared.store.messages import Kind

# The last use is written down at most this often: a program may ask a thousand times a second.
TOUCH_EVERY = timedelta(minutes=1)
_REMINDING = 0x0571A4
ONE_FACTOR = 1  # a token at rest on some machine proves no more than a password would


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token to be kept. `digest` is all that is kept of its value."""

    user_id: UUID
    name: str
    digest: bytes
    scopes: tuple[str, ...]
    expires_at: datetime


async def add(session: AsyncSession, wanted: Wanted, now: datetime) -> ApiToken:
    """Keep a new token, good from `now`."""
    row = ApiToken(
        user_id=wanted.user_id,
        name=wanted.name,
        token_digest=wanted.digest,
        scopes=list(wanted.scopes),
        created_at=now,
        expires_at=wanted.expires_at,
        revoked_reason="",
    )
    session.add(row)
    await session.flush()
    return row


async def present(session: AsyncSession, digest: bytes, now: datetime) -> Presented:
    """What a token's digest stands for: a session of its own kind, and the account narrowed to the scopes."""
    found = (
        await session.execute(
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(ApiToken.token_digest == digest)
            .execution_options(populate_existing=True)
        )
    ).first()
    if found is None:
        return Presented(carried=True)
    row, user = found
    account = users.account_of(user, await users.held_roles(session, user.id, now))
    return Presented(carried=True, session=facts(row), account=narrowed(account, row.scopes))


def facts(row: ApiToken) -> SessionFacts:
    """The token as a session: authenticated when it was made, alive until it expires whether it is used or not."""
    return SessionFacts(
        id=row.id,
        assurance=ONE_FACTOR,
        methods=(API_TOKEN,),
        created_at=row.created_at,
        authenticated_at=row.created_at,
        last_seen_at=row.created_at,
        expires_at=row.expires_at,
        idle_limit=row.expires_at - row.created_at,
        ended_at=row.revoked_at,
        ended_reason=row.revoked_reason,
    )


async def get(session: AsyncSession, token_id: UUID) -> ApiToken | None:
    """The token with this id, whatever became of it."""
    return await session.get(ApiToken, token_id)


async def touch(session: AsyncSession, token_id: UUID, now: datetime) -> None:
    """Write that the token was used, unless that was written a moment ago."""
    long_ago = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < now - TOUCH_EVERY)
    await session.execute(update(ApiToken).where(ApiToken.id == token_id, long_ago).values(last_used_at=now))


async def kept(session: AsyncSession, user_id: UUID) -> list[ApiToken]:
    """The tokens of a person that were not revoked, the newest first; those that expired lately among them."""
    rows = await session.scalars(
        select(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
    )
    return list(rows)


async def living(session: AsyncSession, user_id: UUID, now: datetime) -> int:
    """How many tokens of a person are good at `now`."""
    mine = select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id)
    return await session.scalar(mine.where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)) or 0


async def revoke(session: AsyncSession, token_id: UUID, user_id: UUID, now: datetime, reason: str) -> str | None:
    """Revoke one token of one person; its name, or None when it is not theirs or was revoked before."""
    names = await _revoke(session, now, reason, ApiToken.id == token_id, ApiToken.user_id == user_id)
    return names[0] if names else None


async def revoke_by_digest(session: AsyncSession, digest: bytes, now: datetime, reason: str) -> tuple[UUID, str] | None:
    """Revoke the token with this digest; whose it was and its name."""
    done = await session.execute(
        update(ApiToken)
        .where(ApiToken.token_digest == digest, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
        .returning(ApiToken.user_id, ApiToken.name)
    )
    found = done.first()
    if found is None:
        return None
    revocation.mark(session)
    return found[0], found[1]


async def revoke_all(session: AsyncSession, user_id: UUID, now: datetime, reason: str) -> int:
    """Revoke all tokens of a person; how many there were.

    Hold the person first (`users.hold_alone`), as whoever makes a token does: none comes to be meanwhile.
    """
    return len(await _revoke(session, now, reason, ApiToken.user_id == user_id))


async def revoke_everybodys(session: AsyncSession, now: datetime, reason: str) -> int:
    """Revoke all tokens of all people; how many there were."""
    return len(await _revoke(session, now, reason))


async def revoke_all_but(session: AsyncSession, keep: list[UUID], now: datetime, reason: str) -> int:
    """Revoke all tokens of all people but these; how many there were."""
    return len(await _revoke(session, now, reason, ApiToken.id.not_in(keep)))


async def lock_reminders(session: AsyncSession) -> None:
    """Let one courier at a time remind people; held until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _REMINDING})


async def unreminded(session: AsyncSession, span: tuple[datetime, datetime], days: int, limit: int) -> list[ApiToken]:
    """Living tokens that end within `span` and whose owners were not told so yet, `days` before.

    Those that were made for hardly longer than that are left out: their owners know.
    """
    after, until = span
    told = exists().where(
        Message.user_id == ApiToken.user_id,
        Message.kind == Kind.API_TOKEN_ENDS,
        Message.subject["token"].astext == cast(ApiToken.id, Text),
        Message.subject["days"].astext == str(days),
    )
    rows = await session.scalars(
        select(ApiToken)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > after, ApiToken.expires_at <= until, ~told)
        .where(ApiToken.expires_at - ApiToken.created_at > timedelta(days=2 * days), User.deleted_at.is_(None))
        .order_by(ApiToken.expires_at)
        .limit(limit)
    )
    return list(rows)


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` tokens that were over before then; how many."""
    over = or_(ApiToken.revoked_at < before, ApiToken.expires_at < before)
    old = select(ApiToken.id).where(over).limit(limit)
    return len((await session.execute(delete(ApiToken).where(ApiToken.id.in_(old)).returning(ApiToken.id))).all())


async def _revoke(session: AsyncSession, now: datetime, reason: str, *which: ColumnElement[bool]) -> list[str]:
    done = await session.execute(
        update(ApiToken)
        .where(*which, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
        .returning(ApiToken.name)
    )
    names = list(done.scalars())
    if names:
        revocation.mark(session)
    return names
