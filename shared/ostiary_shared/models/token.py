"""Tokens beside the session's own: of one site alone, of a person's programs, of services."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from ostiary_shared.models.base import Base, Key, Moment


class SiteSession(Base):
    """A session as one site carries it: a token of its own, worth nothing at any other host."""

    __tablename__ = "site_sessions"
    __table_args__ = (Index("ix_site_sessions_session_id", "session_id"),)

    id: Mapped[Key]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    host: Mapped[str]
    token_digest: Mapped[bytes] = mapped_column(unique=True, deferred=True, deferred_raiseload=True)
    created_at: Mapped[Moment]


class ApiToken(Base):
    """A person's token for a program: never more than the person, and of that only the scopes."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_user_id", "user_id", "created_at"),)

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    token_digest: Mapped[bytes] = mapped_column(unique=True, deferred=True, deferred_raiseload=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(server_default="")


class ServiceClient(Base):
    """A service that proves who it is with a secret of its own (RFC 6749, 2.3)."""

    __tablename__ = "service_clients"

    id: Mapped[Key]
    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    secret_digest: Mapped[bytes] = mapped_column(deferred=True, deferred_raiseload=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_at: Mapped[Moment]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class RevokedToken(Base):
    """A signed token that is not to be believed any more, until it would have run out by itself."""

    __tablename__ = "revoked_tokens"

    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
