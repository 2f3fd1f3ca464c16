"""Alembic's entry: runs the chain on the connection it is handed, a transaction each, and keeps the record of it."""

from typing import Any

from alembic import context
from sqlalchemy import text

from ostiary_shared.migrations import chain
from ostiary_shared.models import Base

connection = context.config.attributes["connection"]


def record(*, step: Any, **_more: Any) -> None:
    """Say beside the tables which code may serve on them; in the very transaction that changed them."""
    if connection.scalar(text("SELECT to_regclass('schema_revisions')")) is None:
        return
    said = chain.step_of(step.up_revision)
    connection.execute(text("DELETE FROM schema_revisions WHERE revision = :it"), {"it": said.revision})
    if step.is_upgrade:
        row = {"it": said.revision, "lives_with": said.lives_with}
        connection.execute(text("INSERT INTO schema_revisions (revision, lives_with) VALUES (:it, :lives_with)"), row)


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transaction_per_migration=True,
    on_version_apply=record,  # type: ignore[arg-type] # it is called with names
)
with context.begin_transaction():
    context.run_migrations()
