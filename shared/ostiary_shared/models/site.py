"""Protected sites, their rules, and the refusals on record."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from ostiary_shared.models.base import Base, Key, Moment
from ostiary_shared.networks import Network


class Site(Base):
    """A host behind a reverse proxy. `host` is lower case, with a port only where the port matters."""

    __tablename__ = "sites"

    id: Mapped[Key]
    name: Mapped[str]
    host: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Moment]


class SiteRule(Base):
    """Who may enter a part of a site. The first rule that matches decides; none matching means closed.

    `value` names the one role or permission; `roles` those of which any or all are asked for.
    """

    __tablename__ = "site_rules"
    __table_args__ = (
        CheckConstraint(
            "asks IN ('anyone', 'signed_in', 'role', 'any_role', 'all_roles', 'permission')", name="asks_known"
        ),
        CheckConstraint("match IN ('prefix', 'exact')", name="match_known"),
        CheckConstraint("assurance BETWEEN 1 AND 3", name="assurance_range"),
        CheckConstraint("fresh_minutes BETWEEN 1 AND 10080", name="fresh_range"),
        CheckConstraint("left(path_prefix, 1) = '/'", name="path_form"),
        Index("uq_site_rules_position", "site_id", "position", unique=True),
    )

    id: Mapped[Key]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    path_prefix: Mapped[str]
    match: Mapped[str] = mapped_column(server_default="prefix")
    methods: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    networks: Mapped[list[Network]] = mapped_column(ARRAY(CIDR), server_default="{}")
    asks: Mapped[str]
    value: Mapped[str] = mapped_column(server_default="")
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    assurance: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    fresh_minutes: Mapped[int | None] = mapped_column(Integer)


class Denial(Base):
    """A refusal of a known person. The same cause again within the hour only counts up."""

    __tablename__ = "denials"
    __table_args__ = (
        Index("uq_denials_again", "user_id", "cause", "hour", unique=True),
        Index("ix_denials_last_at", "last_at", "code"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    cause: Mapped[str]
    hour: Mapped[datetime]
    created_at: Mapped[Moment]
    last_at: Mapped[Moment]
    count: Mapped[int] = mapped_column(Integer, server_default="1")
    method: Mapped[str]
    url: Mapped[str]
    decision: Mapped[dict[str, Any]] = mapped_column(JSONB)
