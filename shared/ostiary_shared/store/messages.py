"""The outbox: what shall be mailed. Rows are written in the transaction of the act that promises the mail."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.models import Message
from ostiary_shared.tokens import random_bytes


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


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to be queued: ids only, never a secret. Without a person the courier drops it, saying why."""

    kind: Kind
    email: str
    user_id: UUID | None = None
    subject: dict[str, str] = field(default_factory=dict)


async def queue(session: AsyncSession, draft: Draft, now: datetime) -> UUID:
    """Promise a mail; it leaves after the commit."""
    row = Message(
        kind=draft.kind, email=draft.email, user_id=draft.user_id, subject=draft.subject, created_at=now, due_at=now
    )
    session.add(row)
    await session.flush()
    return row.id


async def drop(session: AsyncSession, user_id: UUID, now: datetime, why: str) -> None:
    """Give up a person's waiting mails."""
    await session.execute(
        update(Message)
        .where(
            Message.user_id == user_id,
            Message.sent_at.is_(None),
            Message.failed_at.is_(None),
            Message.dropped_at.is_(None),
        )
        .values(dropped_at=now, last_reply=why)
    )


async def claim(session: AsyncSession, now: datetime, *, hold: timedelta, limit: int) -> list[Message]:
    """Take due mails for `hold`; no two couriers get the same row, and a dead courier's come back."""
    due = (
        select(Message.id)
        .where(
            Message.due_at <= now,
            Message.sent_at.is_(None),
            Message.failed_at.is_(None),
            Message.dropped_at.is_(None),
            (Message.claimed_until.is_(None)) | (Message.claimed_until < now),
        )
        .order_by(Message.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    mine = UUID(bytes=random_bytes(16))
    rows = await session.scalars(
        update(Message)
        .where(Message.id.in_(due))
        .values(claimed_until=now + hold, claim=mine, attempts=Message.attempts + 1)
        .returning(Message)
    )
    return sorted(rows, key=lambda row: row.due_at)


async def settle(session: AsyncSession, row: Message, **values: datetime | str | None) -> bool:
    """Write how sending went, unless the claim was lost to another courier meanwhile."""
    done = await session.execute(
        update(Message)
        .where(Message.id == row.id, Message.claim == row.claim)
        .values(claimed_until=None, **values)
        .returning(Message.id)
    )
    return done.first() is not None
