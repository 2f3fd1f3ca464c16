"""The outbox: what shall be mailed. Rows are written in the transaction of the act that promises the mail."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from ostiary_shared import request_id
from ostiary_shared.database import affected
from ostiary_shared.models import Message
from ostiary_shared.tokens import random_bytes

# Columns of a row and what becomes of them.
Values = dict[str, datetime | str | int]


class Kind(StrEnum):
    """Every mail there is; each has a template folder of the same name."""

    CONFIRM = "confirm"
    SIGNUP_EXISTING = "signup-existing"
    WELCOME = "welcome"
    RECOVER = "recover"
    INVITE = "invite"
    PASSWORD_CHANGED = "password-changed"
    CHANGE_EMAIL = "change-email"
    EMAIL_CHANGED = "email-changed"
    API_TOKEN_MADE = "api-token-made"
    API_TOKEN_ENDS = "api-token-ends"


# Mails whose link or code opens something. They are given up with what it opens, or a link could be born after that.
SECRETS = frozenset({Kind.CONFIRM, Kind.RECOVER, Kind.INVITE, Kind.CHANGE_EMAIL})
# What people must learn in any case: an attacker cannot call the notice of the last step back by the next one.
NOTICES = frozenset({Kind.PASSWORD_CHANGED, Kind.EMAIL_CHANGED, Kind.WELCOME, Kind.API_TOKEN_MADE})


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to be queued: ids only, never a secret. Without a person the courier drops it, saying why."""

    kind: Kind
    email: str
    user_id: UUID | None = None
    subject: dict[str, str] = field(default_factory=dict)


async def queue(session: AsyncSession, draft: Draft, now: datetime) -> UUID:
    """Promise a mail; it leaves after the commit. The courier's lines about it name the request of now."""
    row = Message(
        kind=draft.kind,
        email=draft.email,
        user_id=draft.user_id,
        subject=draft.subject,
        created_at=now,
        due_at=now,
        request_id=request_id.current(),
    )
    session.add(row)
    await session.flush()
    return row.id


async def drop(session: AsyncSession, user_id: UUID, now: datetime, why: str, kinds: frozenset[Kind] = SECRETS) -> None:
    """Give up a person's waiting mails of these kinds, claimed ones included; notices go out whatever is asked.

    Hold the person first: the courier does so before it mints, and then sees what was dropped.
    """
    await session.execute(
        update(Message)
        .where(
            Message.user_id == user_id,
            Message.kind.in_(kinds - NOTICES),
            Message.sent_at.is_(None),
            Message.failed_at.is_(None),
            Message.dropped_at.is_(None),
        )
        .values(dropped_at=now, last_reply=why)
    )


async def drop_all(session: AsyncSession, now: datetime, why: str) -> int:
    """Give up every mail that waits, whatever it is; how many there were."""
    waiting = (Message.sent_at.is_(None), Message.failed_at.is_(None), Message.dropped_at.is_(None))
    return affected(await session.execute(update(Message).where(*waiting).values(dropped_at=now, last_reply=why)))


async def claim(session: AsyncSession, now: datetime, *, hold: timedelta, limit: int) -> list[Message]:
    """Take due mails for `hold`; no two couriers get the same row, and a dead courier's come back.

    Of one person's due mails only the first is taken, so that they arrive in order. One that was put off holds up none.
    """
    earlier = aliased(Message)
    before = exists().where(
        earlier.user_id == Message.user_id,
        *_due(earlier, now),
        tuple_(earlier.due_at, earlier.id) < tuple_(Message.due_at, Message.id),
    )
    due = (
        select(Message.id)
        .where(*_due(Message, now), (Message.claimed_until.is_(None)) | (Message.claimed_until < now), ~before)
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Message)
        .cte("due")  # run once: as a plain subquery the planner may repeat it and take more than the limit
    )
    mine = UUID(bytes=random_bytes(16))
    rows = await session.scalars(
        update(Message)
        .where(Message.id == due.c.id)
        .values(claimed_until=now + hold, claim=mine, attempts=Message.attempts + 1)
        .returning(Message)
    )
    return sorted(rows, key=lambda row: (row.due_at, row.id))


async def held(session: AsyncSession, row: Message, now: datetime) -> bool:
    """Whether a claimed mail is still ours to send: not dropped meanwhile, nor taken over by another courier.

    It stays so until our commit. Hold the person first, as those do who drop mails.
    """
    mine = (Message.id == row.id, Message.claim == row.claim, Message.claimed_until > now, Message.dropped_at.is_(None))
    return await session.scalar(select(Message.id).where(*mine).with_for_update()) is not None


async def settle(session: AsyncSession, row: Message, **values: datetime | str | int) -> bool:
    """Write how sending went, unless the claim was lost to another courier meanwhile."""
    done = await session.execute(
        update(Message)
        .where(Message.id == row.id, Message.claim == row.claim, Message.claimed_until.is_not(None))
        .values(claimed_until=None, **values)
        .returning(Message.id)
    )
    return done.first() is not None


async def waiting(session: AsyncSession) -> tuple[int, datetime | None]:
    """How many mails wait to be sent, those put off among them, and when the first of them was promised."""
    open_ones = (Message.sent_at.is_(None), Message.failed_at.is_(None), Message.dropped_at.is_(None))
    found = (await session.execute(select(func.count(), func.min(Message.created_at)).where(*open_ones))).one()
    return found[0], found[1]


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` mails that were promised before then and wait for nothing any more; how many."""
    over = or_(Message.sent_at.is_not(None), Message.failed_at.is_not(None), Message.dropped_at.is_not(None))
    old = select(Message.id).where(Message.created_at < before, over).limit(limit)
    return len((await session.execute(delete(Message).where(Message.id.in_(old)).returning(Message.id))).all())


def _due(row: type[Message], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (row.due_at <= now, row.sent_at.is_(None), row.failed_at.is_(None), row.dropped_at.is_(None))
