"""Alembic's entry: runs the chain on the connection it is handed, in one transaction."""

from alembic import context

from ostiary_shared.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
