"""`migrate` by every user who may run it gives the same database, and by others one sentence with the remedy."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from ostiary.cli import group
from tests.conftest import SERVER

OWNERS = """
SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v')
UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last statement."""

    async def run() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture
def empty(worker_id: str) -> Iterator[str]:
    """The superuser's URL of a database without anything."""
    server, name = os.environ[SERVER], f"fresh_{worker_id}"
    execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    yield server.replace("/postgres?", f"/{name}?")
    execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def migrate(url: str, *more: str) -> Result:
    done = CliRunner().invoke(group, ["migrate", *more], env={"OSTIARY_DATABASE_URL": url})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


@pytest.mark.parametrize("with_passwords", [False, True])
def test_what_a_superuser_migrates_belongs_to_the_owner(empty: str, tmp_path: Path, *, with_passwords: bool) -> None:
    (tmp_path / "owner").write_text("Otter'Lantern\n")
    files = ("--owner-password-file", str(tmp_path / "owner")) if with_passwords else ()
    assert "went from empty to" in migrate(empty, *files).stdout
    assert execute(empty, OWNERS) == [("ostiary_owner",)]
    for again in (empty, empty.replace("postgres@", "ostiary_owner@")):
        assert "already" in migrate(again, *files).stdout
        assert "already" in migrate(again).stdout


def test_a_stranger_is_told_what_to_do_and_changes_nothing(empty: str, worker_id: str) -> None:
    stranger = f"stranger_{worker_id}"
    execute(empty, f"CREATE ROLE {stranger} LOGIN", "SELECT 1")
    try:
        refused = migrate(empty.replace("postgres@", f"{stranger}@"))
        assert refused.exit_code == 2
        assert refused.stderr.startswith(f"ostiary: the database user {stranger} is not ostiary_owner")
        assert f"GRANT ostiary_owner TO {stranger}" in refused.stderr
        assert execute(empty, OWNERS) == []
        execute(empty, f"GRANT ostiary_owner TO {stranger} WITH INHERIT FALSE", "SELECT 1")
        execute(empty, "GRANT CREATE ON SCHEMA public TO ostiary_owner", "SELECT 1")
        assert "went from empty to" in migrate(empty.replace("postgres@", f"{stranger}@")).stdout
        assert execute(empty, OWNERS) == [("ostiary_owner",)]
    finally:
        execute(empty, f"DROP ROLE {stranger}", "SELECT 1")


def test_it_waits_for_a_database_that_is_away_and_for_nothing_else(empty: str) -> None:
    assert "went from empty to" in migrate(empty, "--wait", "30").stdout
    away = migrate("postgresql://postgres@127.0.0.1:1/ostiary", "--wait", "1")
    assert away.exit_code == 2
    assert "the database does not answer" in away.stderr
    nobody = migrate(empty.replace("postgres@", "nobody@"), "--wait", "600")
    assert nobody.exit_code == 2
