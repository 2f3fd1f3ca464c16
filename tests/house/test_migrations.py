"""The schema that the chain builds is the schema that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from ostiary_shared.database import make_engine
from ostiary_shared.migrations import chain
from ostiary_shared.models import Base
from tests.conftest import Databases


def test_the_chain_has_one_head_and_one_beginning() -> None:
    script = ScriptDirectory.from_config(chain.config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


async def test_a_database_made_from_nothing_matches_the_models(databases: Databases) -> None:
    engine = make_engine(databases.owner, "test")
    async with engine.connect() as connection:
        differences = await connection.run_sync(_compare)
    await engine.dispose()
    assert differences == []


async def test_everything_belongs_to_the_owner_role(databases: Databases) -> None:
    """Otherwise a later upgrade, run as ostiary_owner, could not change it."""
    engine = make_engine(databases.superuser, "test")
    async with engine.connect() as connection:
        owners = await connection.scalars(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"))
        assert list(owners) == ["ostiary_owner"]
    await engine.dispose()


def _compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))
