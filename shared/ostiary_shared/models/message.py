"""The mail outbox. A row says what to send to whom; the secret in it is minted at the moment of sending."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Key, Moment


class Message(Base):
    """One mail to one address.

    It ends `sent_at`, `failed_at` (a bounce, too many tries) or `dropped_at` (nothing to send; `last_reply` says why).
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index(
            "ix_messages_due",
            "due_at",
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL"),
        ),
        Index("ix_messages_user_id", "user_id", "created_at"),
        Index("ix_messages_created_at", "created_at", "id"),
    )

    id: Mapped[Key]
    kind: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str]
    subject: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[Moment]
    due_at: Mapped[Moment]
    claimed_until: Mapped[datetime | None]
    claim: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    last_reply: Mapped[str] = mapped_column(server_default="")
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    request_id: Mapped[str] = mapped_column(server_default="")
