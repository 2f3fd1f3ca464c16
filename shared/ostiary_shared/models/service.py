"""What the services keep for themselves: rate-limit counters and signing keys."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Moment


class Counter(Base):
    """A rate limit's state: the theoretical arrival time of GCRA. UNLOGGED: losing it only forgives."""

    __tablename__ = "counters"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy's own form

    key: Mapped[str] = mapped_column(primary_key=True)
    arrival: Mapped[datetime]


class SigningKey(Base):
    """An ES256 key for assertions. The private half is encrypted with a key only auth knows."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public_jwk: Mapped[str]
    sealed_private: Mapped[bytes] = mapped_column(deferred=True)
    created_at: Mapped[Moment]
    signs_from: Mapped[Moment]
    retired_at: Mapped[datetime | None]
