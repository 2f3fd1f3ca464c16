"""Roles, what they permit, and who holds them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Key, Moment


class Role(Base):
    """A named set of permissions."""

    __tablename__ = "roles"
    __table_args__ = (CheckConstraint("name ~ '^[a-z0-9][a-z0-9._-]{0,49}$'", name="name_form"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Moment]


class RolePermission(Base):
    """One thing a role permits."""

    __tablename__ = "role_permissions"

    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)


class RoleGrant(Base):
    """That somebody holds a role: since when, by whom, why, and until when.

    Ended grants stay as history until the role itself is deleted; the audit log keeps them beyond that.
    """

    __tablename__ = "role_grants"
    __table_args__ = (
        Index("uq_role_grants_held", "user_id", "role_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_role_grants_role_id", "role_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"))
    granted_at: Mapped[Moment]
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
