"""The processes that answer from memory, and how long a revocation took to reach them."""

from uuid import UUID

from sqlalchemy import BigInteger, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from ostiary_shared.models.base import Base, Key, Moment


class Replica(Base):
    """A process that answers from memory: how many heartbeats it sent, and the last barrier it heard."""

    __tablename__ = "replicas"

    id: Mapped[Key]
    name: Mapped[str]
    started_at: Mapped[Moment]
    heard_at: Mapped[Moment]
    beats: Mapped[int] = mapped_column(BigInteger, server_default="0")
    acknowledged: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Receipt(Base):
    """When an audited act was in force everywhere: who acknowledged it, and whose lease ran out instead."""

    __tablename__ = "receipts"

    audit_event_id: Mapped[UUID] = mapped_column(primary_key=True)
    milliseconds: Mapped[int] = mapped_column(Integer)
    acknowledged: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    lapsed: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
