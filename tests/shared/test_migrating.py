"""Migrations on a database at work: one migrator at a time, never long in anybody's way, and what may serve on what."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from alembic.config import Config

from ostiary_shared import migrations
from ostiary_shared.database import make_engine, make_sessions, trouble, unfit
from ostiary_shared.migrations import chain, running
from ostiary_shared.migrations.running import Run
from ostiary_shared.release import SCHEMA
from tests.conftest import Databases
from tests.system import released

OLD = "0.1.0"
SAMPLE = '''"""A sample."""

from ostiary_shared.migrations import scripts

revision = "9001"
down_revision = "{down}"
branch_labels = None
depends_on = None
since = "0.2.0"
lives_with = "0002"


def upgrade() -> None:
    scripts.run(__file__)


def downgrade() -> None:
    scripts.undo(__file__)
'''


@pytest.fixture
def old(worker_id: str) -> Iterator[Databases]:
    with released.database(f"migrating_{worker_id}", OLD) as database:
        yield database


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A chain with one more migration, of this SQL."""
    plain = chain.config

    def with_sample(*args: object, **more: object) -> Config:
        config = plain(*args, **more)  # type: ignore[arg-type]
        config.set_main_option("version_locations", f"{chain.HERE / 'versions'}{os.pathsep}{tmp_path}")
        config.set_main_option("path_separator", "os")
        return config

    def add(sql: str) -> None:
        (tmp_path / "9001_sample.py").write_text(SAMPLE.format(down=SCHEMA))
        (tmp_path / "9001_sample.sql").write_text(sql)
        monkeypatch.setattr(chain, "config", with_sample)

    return add


def one(url: str, query: str, *values: object) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    return asyncio.run(ask())


def in_trouble(url: str) -> str:
    async def ask() -> str:
        engine = make_engine(url, "test")
        try:
            return await trouble(make_sessions(engine))
        finally:
            await engine.dispose()

    return asyncio.run(ask())


@contextlib.contextmanager
def held(url: str, *statements: str) -> Iterator[Callable[[], None]]:
    """A transaction of somebody else that stays open until the block ends, or until what it yields is called."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(url, server_settings={"application_name": "slow-report"}))
    loop.run_until_complete(connection.execute("BEGIN; " + "; ".join(statements)))

    def end() -> None:
        if not loop.is_closed():
            loop.run_until_complete(connection.close())
            loop.close()

    try:
        yield end
    finally:
        end()


def test_two_migrators_at_once_have_one_effect(old: Databases) -> None:
    told: list[str] = []
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: migrations.upgrade(old.owner, told.append), range(3)))
    assert all(state.complete for state in done)
    assert len([said for said in told if said.startswith(SCHEMA)]) == 1
    assert one(old.owner, "SELECT count(*) FROM schema_revisions WHERE revision = $1", SCHEMA) == 1


def test_whoever_holds_a_table_is_named_and_nothing_is_changed(old: Databases) -> None:
    run = Run(old.owner, patience=1.0)
    with held(old.superuser, "SELECT count(*) FROM messages"):
        with pytest.raises(migrations.HeldUpError, match=r"slow-report, as postgres.*nothing was changed"):
            asyncio.run(migrations._connected(old.owner, lambda connection: migrations._upgrade(connection, run)))
        assert one(old.owner, "SELECT version_num FROM alembic_version") == "0002"
    assert migrations.upgrade(old.owner).complete


def test_nobody_waits_behind_a_migration_that_waits(old: Databases) -> None:
    """What queues behind its lock is answered before a request would give up."""
    assert running.LOCK_TIMEOUT_MS / 1000 < 1.0
    with ThreadPoolExecutor(1) as pool, held(old.superuser, "SELECT count(*) FROM messages") as end:
        migrating = pool.submit(migrations.upgrade, old.owner)
        for _ in range(10):
            one(old.auth, "SET statement_timeout = 5000")
            assert one(old.auth, "SELECT count(*) FROM messages") is not None
        assert not migrating.done()
        end()
        assert migrating.result(60).complete


def test_an_index_is_made_beside_the_traffic_and_a_broken_one_is_made_anew(
    old: Databases, sample: Callable[[str], None]
) -> None:
    migrations.upgrade(old.owner)
    sample("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix_sample ON role_permissions (role_id);\n")
    with pytest.raises(Exception, match="ix_sample"):
        migrations.upgrade(old.owner)  # not unique, so what is left behind is broken
    assert one(old.owner, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_sample'::regclass") is False
    sample("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_sample ON role_permissions (role_id);\n")
    with ThreadPoolExecutor(2) as pool:  # one waits for the other, and must not be waited for
        assert [state.current for state in pool.map(migrations.upgrade, [old.owner] * 2)] == ["9001", "9001"]
    assert one(old.owner, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_sample'::regclass") is True
    assert one(old.owner, "SELECT lives_with FROM schema_revisions WHERE revision = '9001'") == "0002"


def test_code_says_why_it_cannot_serve_on_a_schema(old: Databases) -> None:
    assert "needs 0003 or later. Run ./ostiary migrate" in in_trouble(old.auth)
    migrations.upgrade(old.owner)
    assert in_trouble(old.auth) == in_trouble(old.admin) == ""
    one(old.superuser, "UPDATE alembic_version SET version_num = '0004'")
    assert "Start the later release instead" in in_trouble(old.auth)  # it says nothing of whom it lives with
    one(old.superuser, "INSERT INTO schema_revisions (revision, lives_with) VALUES ('0004', '0003')")
    assert in_trouble(old.auth) == in_trouble(old.admin) == ""
    one(old.superuser, "UPDATE schema_revisions SET lives_with = '0004' WHERE revision = '0004'")
    assert "serves code that knows revision 0004 or later" in in_trouble(old.auth)


def test_an_empty_database_is_told_apart_from_one_that_is_away(old: Databases, worker_id: str) -> None:
    one(old.superuser, "ALTER TABLE alembic_version RENAME TO gone")
    assert in_trouble(old.superuser).startswith("The database has no tables yet. Run ./ostiary migrate")
    assert in_trouble("postgresql://nobody@127.0.0.1:1/none").startswith("The database does not answer")


def test_schemas_are_compared_in_their_order() -> None:
    assert unfit("0003", None) == ""
    assert unfit("0003", "0099") == ""  # it is ours: what it lives with was judged when it was made
