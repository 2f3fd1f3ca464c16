"""People and their passwords."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Key, Moment

FOLDED_EMAIL = "casefold(email COLLATE pg_unicode_fast)"
# Full case folding: STRASSE and Straße, ﬁ and fi are one address. Deleted people free theirs.
UNIQUE_EMAIL = "uq_users_email"


class User(Base):
    """A person. States are timestamps."""

    __tablename__ = "users"
    __table_args__ = (
        Index(UNIQUE_EMAIL, text(FOLDED_EMAIL), unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index("ix_users_created_at", "created_at", "id"),
        Index("ix_users_last_seen_at", text("coalesce(last_seen_at, '-infinity'::timestamptz)"), "id"),
        Index("ix_users_name", text("lower(name)"), "id"),
        Index("ix_users_email_order", text("lower(email)"), "id"),
        CheckConstraint("length(email) BETWEEN 3 AND 254", name="email_length"),
        CheckConstraint("length(name) <= 100", name="name_length"),
    )

    id: Mapped[Key]
    email: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Moment]
    confirmed_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    locked_reason: Mapped[str] = mapped_column(server_default="")
    deleted_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]


class Password(Base):
    """A password's hash.

    A sign-up's hash waits (`adopted_at` is empty) until the mailbox is proved where the sign-up came from (`origin`, a
    keyed digest; none is like no other), so that nobody's confirmation can bring a stranger's password to life.
    """

    __tablename__ = "passwords"
    __table_args__ = (
        Index("uq_passwords_adopted", "user_id", unique=True, postgresql_where=text("adopted_at IS NOT NULL")),
        Index("ix_passwords_user_id", "user_id", "created_at"),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    hash: Mapped[str]
    origin: Mapped[bytes | None]
    name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Moment]
    adopted_at: Mapped[datetime | None]
