"""The outbox: what was promised, what became of it, and the mail server's own words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

from ostiary_admin.queries.keyset import Asked, Found, Order, Page, Place, page_of
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Message

STATES = ("waiting", "sent", "failed", "dropped")


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One mail. Its secret does not exist before the moment of sending, and is nowhere in here."""

    id: UUID
    kind: str
    user_id: UUID | None
    email: str
    state: str
    attempts: int
    last_reply: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    dropped_at: datetime | None


_MESSAGES: Asked = select(
    Message.id,
    Message.kind,
    Message.user_id,
    Message.email,
    Message.attempts,
    Message.last_reply,
    Message.created_at,
    Message.due_at,
    Message.sent_at,
    Message.failed_at,
    Message.dropped_at,
)


async def page(work: AdminWork, state: str, user_id: UUID | None, place: Place) -> Page[MessageRow]:
    """Mails in a state, or all; the newest first."""
    asked = _MESSAGES
    if state:
        asked = asked.where(*being(state))
    if user_id:
        asked = asked.where(Message.user_id == user_id)
    order = Order(Message.created_at, Message.id, descending=True, moments=True)
    return await page_of(work.session, asked, order, place, _row)


async def get(work: AdminWork, message_id: UUID) -> MessageRow:
    """One mail. Raises NotFound."""
    row = (await work.session.execute(_MESSAGES.where(Message.id == message_id))).first()
    if row is None:
        raise NotFound("There is no such mail.")
    return _row(row)


def being(state: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a mail is in a state."""
    match state:
        case "sent":
            return (Message.sent_at.is_not(None),)
        case "failed":
            return (Message.failed_at.is_not(None),)
        case "dropped":
            return (Message.dropped_at.is_not(None),)
        case _:
            return (Message.sent_at.is_(None), Message.failed_at.is_(None), Message.dropped_at.is_(None))


def _row(row: Found) -> MessageRow:
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    moments = {"sent": found["sent_at"], "failed": found["failed_at"], "dropped": found["dropped_at"]}
    state = next((name for name, when in moments.items() if when), "waiting")
    names = (field for field in MessageRow.__dataclass_fields__ if field != "state")
    return MessageRow(state=state, **{name: found[name] for name in names})
