"""`restore` and the drill: into places of every kind, from older releases, and never half."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ostiary.backups import scratch
from ostiary_auth.settings import AuthSettings
from ostiary_shared.migrations import chain
from tests.conftest import Databases
from tests.system import released
from tests.system.test_backup import SOMEBODY
from tests.system.test_commands import Terminal, terminal
from tests.system.test_end_all import _fill

__all__ = ["terminal"]


@pytest.fixture
def kept(terminal: Terminal, database: Databases, auth_settings: AuthSettings, tmp_path: Path) -> Path:
    """A backup with three people, their sessions and API tokens, and a link."""
    _fill(database, auth_settings)
    terminal.ok("backup", str(tmp_path / "kept.backup"))
    return tmp_path / "kept.backup"


@pytest.fixture
def empty(database: Databases) -> Iterator[str]:
    """The URL of an empty database of the owner's."""
    with scratch(database.superuser, "empty") as beside:
        yield beside.replace("postgres@", "ostiary_owner@")


def _ask(url: str, *statements: str) -> list[Any]:
    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements]
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_the_plan_says_what_would_be_lost_and_does_nothing(terminal: Terminal, kept: Path) -> None:
    terminal.ok("users create new@example.test")
    said = terminal.ok("restore --plan", str(kept))
    assert "after the backup" in said
    assert [line.split() for line in said.splitlines() if line.startswith("users ")] == [["users", "3", "4"]]
    assert "admin:user:created" in said
    assert "End every session, mailed link, API token and signing key" in said
    told = terminal.json("restore --plan", str(kept))
    assert told["backup"]["counts"]["users"] == 3
    assert told["place"]["counts"]["users"] == 4
    assert told["place"]["undone"]["admin:user:created"] == 1
    declined = terminal.run("restore", str(kept), typed="n\n")
    assert declined.exit_code == 1
    assert "Go on?" in declined.stdout
    assert "say --yes or --plan" in terminal.refusal("restore --json", str(kept))
    assert terminal.rows("SELECT count(*) FROM users") == [(4,)]
    assert terminal.run("restore", str(kept), typed="y\n").exit_code == 0
    assert terminal.rows("SELECT count(*) FROM users") == [(3,)]


def test_it_leaves_a_receipt_and_an_audit_row(terminal: Terminal, kept: Path) -> None:
    told = terminal.json("restore --yes", str(kept))
    assert told["ended"] == {"sessions": 3, "api_tokens": 3, "links": 1}
    assert set(told["receipt"]) == {"milliseconds", "acknowledged", "lapsed"}
    audited = "SELECT actor, after->>'sha256' FROM audit_events WHERE event = 'operator:backup:restored'"
    assert terminal.rows(audited) == [("operator", told["backup"]["sha256"])]
    assert terminal.rows("SELECT count(*) FROM receipts") == [(2,)]
    # what the owner of the tables may do, the services may not
    assert terminal.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == [
        ("ostiary_owner",)
    ]
    assert terminal.rows("SELECT has_table_privilege('ostiary_admin', 'passwords', 'SELECT')") == [(False,)]


def test_into_an_empty_place_with_everything_ended(terminal: Terminal, kept: Path, empty: str) -> None:
    plan = terminal.ok("restore --plan --into", empty, str(kept))
    assert "which is empty" in plan
    assert "Close the tables" not in plan
    terminal.ok("restore --yes --into", empty, str(kept))
    alive = "SELECT count(*) FROM sessions WHERE ended_at IS NULL"
    assert _ask(empty, "SELECT count(*) FROM users", alive) == [3, 0]
    assert terminal.rows(alive) == [(3,)]  # the usual place was not touched


def test_a_place_that_is_not_prepared_is_told_how(terminal: Terminal, kept: Path, empty: str) -> None:
    superuser = empty.replace("ostiary_owner@", "postgres@")
    _ask(superuser, "REVOKE CREATE ON SCHEMA public FROM ostiary_owner")
    assert "run ./ostiary migrate" in terminal.run("restore --yes --into", empty, str(kept)).stderr
    _ask(superuser, "GRANT CREATE ON SCHEMA public TO ostiary_owner", "CREATE TABLE users (diary text)")
    assert "is not Ostiary's" in terminal.run("restore --yes --into", empty, str(kept)).stderr
    _ask(superuser, "ALTER TABLE users RENAME TO diary")
    assert terminal.run("restore --yes --into", empty, str(kept)).exit_code == 0
    terminal.ok("backup --database-url", empty, str(kept.with_name("second")))  # and what is not ours is left out
    assert "diary" not in terminal.ok("backup show", str(kept.with_name("second")))


def test_what_depends_on_our_tables_is_not_torn_away(terminal: Terminal, kept: Path, database: Databases) -> None:
    _ask(database.superuser, "CREATE VIEW addresses AS SELECT email FROM users")
    try:
        assert "addresses" in terminal.run("restore --yes", str(kept)).stderr
        assert _ask(database.superuser, "SELECT count(*) FROM addresses") == [3]
    finally:
        _ask(database.superuser, "DROP VIEW addresses")


def test_api_tokens_that_are_kept_are_those_nobody_revoked(terminal: Terminal, kept: Path, database: Databases) -> None:
    one = "(SELECT id FROM api_tokens LIMIT 1)"
    gone = _ask(database.superuser, f"UPDATE api_tokens SET revoked_at = now() WHERE id = {one} RETURNING id")
    told = terminal.json("restore --yes --keep-api-tokens", str(kept))
    assert told["ended"] == {"sessions": 3, "api_tokens": 1, "links": 1}
    assert terminal.rows("SELECT id FROM api_tokens WHERE revoked_at IS NOT NULL") == [tuple(gone)]


@pytest.mark.parametrize("version", released.VERSIONS)
def test_a_backup_of_an_older_release_is_upgraded(
    terminal: Terminal, database: Databases, tmp_path: Path, version: str
) -> None:
    file = tmp_path / "old.backup"
    with released.database("older_restore", version) as older:
        terminal.ok("backup --database-url", older.owner, str(file))
    manifest = terminal.json("backup show", str(file))
    assert manifest["revision"] == chain.head_of(version)
    assert "Upgrade the schema" in terminal.ok("restore --plan", str(file))
    told = terminal.json("restore --yes", str(file))
    assert told["revision"] == chain.steps()[-1].revision
    assert terminal.rows("SELECT count(*) FROM users") == [(manifest["counts"]["users"],)]
    assert told["ended"]["sessions"] > 0
    assert terminal.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at > now()") == [(0,)]


def test_a_drill_says_how_it_would_go_and_leaves_nothing(terminal: Terminal, kept: Path, database: Databases) -> None:
    # Other tests make databases of their own meanwhile.
    databases = "SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '%'"
    before = terminal.rows(databases)
    refused = terminal.refusal("backup drill", str(kept))
    assert "may not create a scratch database" in refused
    done = terminal.run("backup drill --json --database-url", database.superuser, str(kept))
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert [check["check"] for check in told["checks"] if check["trouble"]] == ["at least one administrator"]
    terminal.rows(SOMEBODY)
    terminal.ok("backup --force", str(kept))
    said = terminal.ok("backup drill --database-url", database.superuser, str(kept))
    assert "✗" not in said
    assert "A real restore closes the doors for" in said
    assert terminal.rows(databases) == before
    assert terminal.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(3,)]


def test_who_is_at_work_on_the_tables_is_waited_for(terminal: Terminal, kept: Path, database: Databases) -> None:
    """A transaction that has begun ends as it would; one that comes later waits, and sees what was restored."""

    async def both() -> None:
        connection = await asyncpg.connect(database.auth)
        try:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("UPDATE users SET name = 'X'")
            restoring = asyncio.create_task(asyncio.to_thread(terminal.run, "restore --yes", str(kept)))
            while not await _waits(database):
                assert not restoring.done(), restoring.result().output
                await asyncio.sleep(0.05)
            await connection.execute("SELECT count(*) FROM sessions")
            await transaction.commit()
            assert (await restoring).exit_code == 0
            assert await connection.fetchval("SELECT count(*) FROM users WHERE name = 'X'") == 0
        finally:
            await connection.close()

    asyncio.run(both())


async def _waits(database: Databases) -> bool:
    connection = await asyncpg.connect(database.superuser)
    try:
        return bool(
            await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
        )
    finally:
        await connection.close()
