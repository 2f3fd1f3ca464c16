"""Sessions: starting, finding, touching, rotating and ending them. Rows are found by the digest of their token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, DateTime, LargeBinary, and_, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.database import affected
from ostiary_shared.identity import Presented, SessionFacts
from ostiary_shared.models import Session, User
from ostiary_shared.models.base import first_id
from ostiary_shared.store import users

# Requests already on their way when the token was rotated still carry the old one.
ROTATION_GRACE = timedelta(seconds=20)
# A session's last use is written at most this often.
TOUCH_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session may live at most, and how long unused."""

    absolute: timedelta
    idle: timedelta


@dataclass(frozen=True, slots=True)
class Start:
    """What a new session is made of."""

    user_id: UUID
    token_digest: bytes
    methods: tuple[str, ...]
    assurance: int
    lifetime: Lifetime
    ip: str | None
    user_agent: str


async def start(session: AsyncSession, wanted: Start, now: datetime) -> Session:
    """A new session, alive from `now`."""
    row = Session(
        user_id=wanted.user_id,
        token_digest=wanted.token_digest,
        methods=list(wanted.methods),
        assurance=wanted.assurance,
        created_at=now,
        authenticated_at=now,
        last_seen_at=now,
        expires_at=now + wanted.lifetime.absolute,
        idle_limit=wanted.lifetime.idle,
        ip=wanted.ip,
        user_agent=wanted.user_agent[:400],
        ended_reason="",
    )
    session.add(row)
    await session.flush()
    return row


async def present(session: AsyncSession, digest: bytes, now: datetime) -> Presented:
    """What a token's digest stands for: its session, alive or not, and the account with its roles."""
    found = (await session.execute(_WHOSE, {"digest": digest, "since": now - ROTATION_GRACE})).first()
    if found is None:
        return Presented(carried=True)
    row, user = found
    held = await users.held_roles(session, user.id, now)
    return Presented(carried=True, session=facts(row), account=users.account_of(user, held))


def facts(row: Session) -> SessionFacts:
    """The row as the frozen facts of a decision."""
    return SessionFacts(
        id=row.id,
        assurance=row.assurance,
        methods=tuple(row.methods),
        created_at=row.created_at,
        authenticated_at=row.authenticated_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        idle_limit=row.idle_limit,
        ended_at=row.ended_at,
        ended_reason=row.ended_reason,
    )


async def touch(session: AsyncSession, session_id: UUID, now: datetime) -> bool:
    """Write that the session was used, unless that was written a moment ago; whether it was written."""
    done = await session.execute(
        update(Session)
        .where(Session.id == session_id, Session.ended_at.is_(None), Session.last_seen_at < now - TOUCH_EVERY)
        .values(last_seen_at=now)
        .returning(Session.id)
    )
    return done.first() is not None


async def rotate(session: AsyncSession, session_id: UUID, digest: bytes, now: datetime) -> bool:
    """Give a living session a new token; the old one lives on for `ROTATION_GRACE`."""
    revocation.mark(session)
    done = await session.execute(
        update(Session)
        .where(Session.id == session_id, Session.ended_at.is_(None))
        .values(previous_digest=Session.token_digest, token_digest=digest, rotated_at=now)
        .returning(Session.id)
    )
    return done.first() is not None


async def is_current(session: AsyncSession, session_id: UUID, digest: bytes) -> bool:
    """Whether this is the session's token, rather than one that was replaced and is good for a moment still."""
    same = select(Session.id).where(Session.id == session_id, Session.token_digest == digest)
    return await session.scalar(same) is not None


async def end(session: AsyncSession, session_id: UUID, user_id: UUID, now: datetime, reason: str) -> bool:
    """End one session of one person; False when it is not theirs or already over."""
    return bool(await _end_where(session, and_(Session.id == session_id, Session.user_id == user_id), now, reason))


async def end_by_token(session: AsyncSession, digest: bytes, now: datetime, reason: str) -> UUID | None:
    """End the session that carries this token; whose it was."""
    done = await session.execute(
        update(Session)
        .where(_carried_by(digest, now - ROTATION_GRACE), Session.ended_at.is_(None))
        .values(ended_at=now, ended_reason=reason)
        .returning(Session.user_id)
    )
    owner = done.scalar()
    if owner is not None:
        revocation.mark(session)
    return owner


async def end_all(session: AsyncSession, user_id: UUID, now: datetime, reason: str, keep: UUID | None = None) -> int:
    """End all living sessions of a person but `keep`; how many there were."""
    mine = Session.user_id == user_id
    return await _end_where(session, and_(mine, Session.id != keep) if keep else mine, now, reason)


async def end_everybodys(session: AsyncSession, now: datetime, reason: str) -> int:
    """End all sessions of all people (begin with `everything.begin`); how many were alive."""
    over = update(Session).where(Session.ended_at.is_(None)).values(ended_at=now, ended_reason=reason)
    revocation.mark(session)
    counted = over.where(*alive(now)).execution_options(synchronize_session=False)
    ended = affected(await session.execute(counted))
    await session.execute(over.execution_options(synchronize_session=False))
    return ended


async def keep_newest(session: AsyncSession, user_id: UUID, count: int, now: datetime) -> int:
    """End a person's oldest sessions beyond `count`; how many that were."""
    newest = (
        select(Session.id)
        .where(Session.user_id == user_id, *alive(now))
        .order_by(Session.created_at.desc(), Session.id.desc())
        .limit(count)
    )
    return await _end_where(
        session, and_(Session.user_id == user_id, Session.id.not_in(newest)), now, "too many sessions"
    )


async def living(session: AsyncSession, user_id: UUID, now: datetime) -> list[Session]:
    """The living sessions of a person, the last used first."""
    rows = await session.scalars(
        select(Session)
        .where(Session.user_id == user_id, *alive(now))
        .order_by(Session.last_seen_at.desc(), Session.id.desc())
    )
    return list(rows)


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` sessions that were over before then; how many."""
    over = or_(Session.ended_at < before, Session.expires_at < before)
    old = select(Session.id).where(Session.id < first_id(before), over).limit(limit)
    return len((await session.execute(delete(Session).where(Session.id.in_(old)).returning(Session.id))).all())


def alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a session is alive at `now`."""
    return (Session.ended_at.is_(None), Session.expires_at > now, Session.last_seen_at + Session.idle_limit > now)


def _carried_by(digest: bytes | BindParameter[bytes], since: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    late = and_(Session.previous_digest == digest, Session.rotated_at > since)
    return or_(Session.token_digest == digest, late)


# Asked with every request, so it is put together once.
_WHOSE = (
    select(Session, User)
    .join(User, User.id == Session.user_id)
    .where(_carried_by(bindparam("digest", type_=LargeBinary), bindparam("since", type_=DateTime(timezone=True))))
    .execution_options(populate_existing=True)
)


async def _end_where(session: AsyncSession, which: ColumnElement[bool], now: datetime, reason: str) -> int:
    done = await session.execute(
        update(Session)
        .where(which, Session.ended_at.is_(None))
        .values(ended_at=now, ended_reason=reason)
        .returning(Session.id)
    )
    ended = len(done.all())
    if ended:
        revocation.mark(session)
    return ended
