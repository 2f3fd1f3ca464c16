"""The declarative base and the column types that recur."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, MetaData, Text, func, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, mapped_column

# Named constraints can be told apart when one is violated, and dropped by a migration.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), bytes: LargeBinary}  # noqa: RUF012 - SQLAlchemy's own form


Key = Annotated[UUID, mapped_column(postgresql.UUID(as_uuid=True), primary_key=True, server_default=text("uuidv7()"))]
Moment = Annotated[datetime, mapped_column(server_default=func.now())]


def first_id(moment: datetime) -> UUID:
    """The lowest uuidv7 of a moment: ids are in order of creation, so old rows are found by the primary key alone."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
