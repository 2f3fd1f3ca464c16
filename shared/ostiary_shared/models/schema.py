"""Which revisions the schema went through, and which releases may serve on it."""

from sqlalchemy.orm import Mapped, mapped_column

from ostiary_shared.models.base import Base, Moment


class SchemaRevision(Base):
    """A revision that was applied; code that knows the chain up to `lives_with`, or further, may serve on it.

    `backup` is the file that was written before an upgrade with `./ostiary upgrade`.
    """

    __tablename__ = "schema_revisions"

    revision: Mapped[str] = mapped_column(primary_key=True)
    lives_with: Mapped[str]
    applied_at: Mapped[Moment]
    backup: Mapped[str] = mapped_column(server_default="")
