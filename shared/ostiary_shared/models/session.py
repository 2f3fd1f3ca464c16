"""Sessions and the single-use tokens that stand in for a mailbox."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Interval, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from ostiary_shared.models.base import Base, Key, Moment


class Session(Base):
    """A sign-in. The cookie carries the token; only its digest is here, and only auth may read that column."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_user_id", "user_id", "created_at"),
        Index("ix_sessions_previous_digest", "previous_digest", postgresql_where=text("previous_digest IS NOT NULL")),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_digest: Mapped[bytes] = mapped_column(unique=True, deferred=True, deferred_raiseload=True)
    previous_digest: Mapped[bytes | None] = mapped_column(deferred=True, deferred_raiseload=True)
    rotated_at: Mapped[datetime | None]
    assurance: Mapped[int] = mapped_column(SmallInteger)
    methods: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Moment]
    authenticated_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    idle_limit: Mapped[timedelta] = mapped_column(Interval)
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(server_default="")
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str] = mapped_column(server_default="")


class OneTimeToken(Base):
    """A single-use secret bound to a purpose and an address. `subject` holds what it applies to (ids only)."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        Index("ix_one_time_tokens_user_id", "user_id", "purpose"),
        Index("ix_one_time_tokens_code_digest", "code_digest", postgresql_where=text("code_digest IS NOT NULL")),
    )

    id: Mapped[Key]
    purpose: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(server_default="")
    subject: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    token_digest: Mapped[bytes] = mapped_column(unique=True, deferred=True, deferred_raiseload=True)
    code_digest: Mapped[bytes | None] = mapped_column(deferred=True, deferred_raiseload=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
