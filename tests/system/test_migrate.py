"""`migrate` by every user who may run it gives the same database, and by others one sentence with the remedy."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection

from ostiary.cli import group
from ostiary_shared.database import connect
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


KEPT = "SELECT rolpassword FROM pg_authid WHERE rolname = 'ostiary_admin'"


def test_a_password_is_in_no_statement_and_is_sent_once(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "admin").write_text("Otter'Lantern +%/\n")
    said: list[str] = []
    monkeypatch.setattr(Connection, "exec_driver_sql", _listening(Connection.exec_driver_sql, said))
    try:
        for _ in range(2):
            assert migrate(empty, "--admin-password-file", str(tmp_path / "admin")).exit_code == 0
        [sent] = [statement for statement in said if "PASSWORD" in statement]
        assert "Lantern" not in sent
        assert str(execute(empty, KEPT)[0][0]) in sent
        (tmp_path / "admin").write_text("Another\n")
        assert migrate(empty, "--admin-password-file", str(tmp_path / "admin")).exit_code == 0
        assert len([statement for statement in said if "PASSWORD" in statement]) == 2
    finally:
        execute(empty, "ALTER ROLE ostiary_admin PASSWORD NULL", "SELECT 1")


def _listening(real: Callable[..., Any], said: list[str]) -> Callable[..., Any]:
    def heard(connection: Connection, statement: str, *more: Any, **options: Any) -> Any:
        said.append(statement)
        return real(connection, statement, *more, **options)

    return heard


def test_a_password_that_would_be_rewritten_is_refused(empty: str, tmp_path: Path) -> None:
    (tmp_path / "owner").write_text("Öl\n")
    refused = migrate(empty, "--owner-password-file", str(tmp_path / "owner"))
    assert refused.exit_code == 2
    assert f"{tmp_path / 'owner'} has characters beside printable ASCII" in refused.stderr


TRAPS = [
    "CREATE TABLE trapped (how text, who name)",
    "GRANT INSERT ON trapped TO PUBLIC",
    """CREATE FUNCTION trap(how text) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN RESET ROLE; INSERT INTO public.trapped VALUES (how, current_user); RETURN true; END $$""",
    # Fits the call pg_has_role($1, 'SET') better than PostgreSQL's own.
    """CREATE FUNCTION pg_has_role(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT public.trap('call') $$""",
    """CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM public.trap('trigger'); RETURN NULL; END $$""",
    "CREATE TRIGGER trapping BEFORE INSERT ON role_permissions FOR EACH STATEMENT EXECUTE FUNCTION on_insert()",
]


@pytest.mark.parametrize("let_in", [True, False])
def test_what_the_owner_left_in_the_database_waits_for_no_superuser(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, let_in: bool
) -> None:
    """Triggers, and functions that are called in the place of PostgreSQL's: one RESET ROLE, and they were superuser."""
    (tmp_path / "owner").write_text("Otter'Lantern +%/\n")
    files = ("--owner-password-file", str(tmp_path / "owner"))
    try:
        assert migrate(empty, *files).exit_code == 0
        execute(empty.replace("postgres@", "ostiary_owner@"), *TRAPS, "SELECT 1")
        if not let_in:
            monkeypatch.setattr("ostiary.migrate.connect", _only_superusers)
        again = migrate(empty, *files)
        assert "already" in again.stdout, again.stderr
        found = execute(empty, "SELECT DISTINCT how, who FROM trapped")
        if let_in:
            assert found == [("trigger", "ostiary_owner")]
        else:  # it goes on as a superuser, then, and makes at least the roles by PostgreSQL's own functions alone
            assert ("call", "postgres") not in found
    finally:
        execute(empty, "ALTER ROLE ostiary_owner PASSWORD NULL", "SELECT 1")


async def _only_superusers(url: str, **options: Any) -> Any:
    if "ostiary_owner" in url:
        raise asyncpg.InvalidAuthorizationSpecificationError("Peer authentication failed")
    return await connect(url, **options)


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
