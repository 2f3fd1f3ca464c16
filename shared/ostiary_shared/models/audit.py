"""What happened, append-only: no service has the right to change or delete a row."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Key, Moment


class AuditEvent(Base):
    """One act: by whom, on whom, from where, and what changed. Ids carry no foreign key: history outlives people."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_at", "at", "id"),
        Index("ix_audit_events_target_id", "target_id", "at"),
        Index("ix_audit_events_actor_id", "actor_id", "at"),
        Index("ix_audit_events_event", "event", "at"),
    )

    id: Mapped[Key]
    at: Mapped[Moment]
    event: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor: Mapped[str] = mapped_column(server_default="")
    acting_as: Mapped[UUID | None]
    target_id: Mapped[UUID | None]
    target: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str] = mapped_column(server_default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(server_default="")
    request_id: Mapped[str] = mapped_column(server_default="")
