"""Which revisions the schema went through, and which releases may serve on it."""

from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Moment


class SchemaRevision(Base):
    """A revision that was applied; code that knows the chain up to `lives_with`, or further, may serve on it."""

    __tablename__ = "schema_revisions"

    revision: Mapped[str] = mapped_column(primary_key=True)
    lives_with: Mapped[str]
    applied_at: Mapped[Moment]
