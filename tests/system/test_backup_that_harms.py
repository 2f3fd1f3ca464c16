"""Who restores a file, or rehearses it, runs the SQL in it: as ostiary_owner could, and in one transaction."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ostiary.backups import archive, stand_in
from tests.conftest import Databases
from tests.system import front
from tests.system.test_backup import SOMEBODY
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]

BODY = "AS $$ SELECT 1 /*{}*/ $$;"
MADE = "SELECT count(*) FROM pg_roles WHERE starts_with(rolname, 'ostiary_stand_in_')"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A file that is there when a program was run."""
    return tmp_path / "it-ran"


def _ran(trace: Path) -> bool:
    return trace.exists()


def _program(trace: Path) -> str:
    return f"COPY (SELECT 1) TO PROGRAM 'touch {trace}'"


def _written_into(terminal: Terminal, kept: Path, harm: str) -> Path:
    """A backup whose dump says this, where a function stood; its checksum is right."""
    terminal.rows(SOMEBODY)
    harmless = f"CREATE FUNCTION public.nothing() RETURNS integer\n    LANGUAGE sql\n    {BODY.format(harm)}"
    terminal.rows(harmless)
    terminal.rows("ALTER FUNCTION nothing() OWNER TO ostiary_owner")
    terminal.ok("backup", str(kept))
    terminal.rows("DROP FUNCTION nothing()")
    before = kept.read_bytes()
    assert before.count(harmless.encode()) == 1
    sizes = archive.read(kept)
    changed = before.replace(harmless.encode(), harm.ljust(len(harmless)).encode())
    dump = changed[sizes.offset : sizes.offset + sizes.manifest.size]
    kept.write_bytes(changed.replace(sizes.manifest.sha256.encode(), hashlib.sha256(dump).hexdigest().encode()))
    return kept


async def _over_tcp(terminal: Terminal, database: Databases, *commands: str) -> list[tuple[int, str]]:
    """The commands of a superuser who is known by an address, not by a socket."""
    async with front.before(database.superuser) as before:
        url = before.url("postgres", urlsplit(database.superuser).path.strip("/"))
        done = [await asyncio.to_thread(terminal.run, f"{command} --database-url {url}") for command in commands]
    return [(one.exit_code, one.output) for one in done]


def test_a_superuser_at_the_socket_does_not_say_it(
    terminal: Terminal, database: Databases, tmp_path: Path, trace: Path
) -> None:
    kept = _written_into(terminal, tmp_path / "kept.backup", f"RESET ROLE; {_program(trace)}; --")
    for command in ("restore --yes", "backup drill"):
        done = terminal.run(f"{command} --database-url", database.superuser, str(kept))
        assert (done.exit_code, "may not do that" in done.stderr) == (2, True), done.output
        assert not _ran(trace)


async def test_nor_does_a_superuser_at_an_address(
    terminal: Terminal, database: Databases, tmp_path: Path, trace: Path
) -> None:
    harm = f"RESET ROLE; RESET SESSION AUTHORIZATION; {_program(trace)}; --"
    kept = await asyncio.to_thread(_written_into, terminal, tmp_path / "kept.backup", harm)
    for code, said in await _over_tcp(terminal, database, f"restore --yes {kept}", f"backup drill {kept}"):
        assert (code, "may not do that" in said) == (2, True), said
    assert not _ran(trace)
    assert await asyncio.to_thread(terminal.rows, MADE) == [(0,)]


@pytest.fixture
def changed(terminal: Terminal) -> Iterator[None]:
    """What this puts into the schema is put right."""
    [(definition,)] = terminal.rows("SELECT pg_get_functiondef('usable_admins'::regproc)")
    yield
    terminal.rows(definition)


@pytest.mark.usefixtures("changed")
async def test_nor_what_runs_when_somebody_looks_at_it(
    terminal: Terminal, database: Databases, tmp_path: Path, trace: Path
) -> None:
    """No word in this dump is unusual; a function in it does harm when the drill calls it."""
    harm = f"BEGIN EXECUTE 'RESET ROLE'; {_program(trace)}; RETURN 1; END"
    kept = tmp_path / "kept.backup"

    def prepared() -> None:
        terminal.rows(SOMEBODY)
        terminal.rows(f"CREATE OR REPLACE FUNCTION usable_admins() RETURNS bigint LANGUAGE plpgsql AS $$ {harm} $$")
        terminal.ok("backup", str(kept))

    await asyncio.to_thread(prepared)
    [(code, said)] = await _over_tcp(terminal, database, f"backup drill {kept}")
    assert (code, "may not do that" in said) == (2, True), said
    assert not _ran(trace)


async def test_a_superuser_at_an_address_restores_what_is_right(
    terminal: Terminal, database: Databases, tmp_path: Path
) -> None:
    """And whoever a killed command has left for such a day is gone, too."""
    kept = tmp_path / "kept.backup"
    left = "CREATE ROLE ostiary_stand_in_old LOGIN VALID UNTIL '2020-01-01' IN ROLE ostiary_owner"
    await asyncio.to_thread(terminal.rows, left)
    await asyncio.to_thread(terminal.rows, SOMEBODY)
    await asyncio.to_thread(terminal.ok, "backup", str(kept))
    for code, said in await _over_tcp(terminal, database, f"backup drill {kept}", f"restore --yes {kept}"):
        assert code == 0, said
    assert await asyncio.to_thread(terminal.rows, MADE) == [(0,)]


async def test_where_nobody_else_is_let_in_it_is_refused(
    terminal: Terminal, database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.backup"
    await asyncio.to_thread(terminal.rows, SOMEBODY)
    await asyncio.to_thread(terminal.ok, "backup", str(kept))

    async def never(_url: str) -> bool:
        return False

    monkeypatch.setattr(stand_in, "_lets_in", never)
    [(code, said)] = await _over_tcp(terminal, database, f"restore --yes {kept}")
    assert (code, "put ostiary_owner's URL" in said) == (2, True), said
    assert await asyncio.to_thread(terminal.rows, MADE) == [(0,)]


@pytest.mark.parametrize("harm", ["COMMIT", "COMMIT; BEGIN", "DO 'BEGIN COMMIT; END'"])
def test_no_word_in_a_dump_ends_the_transaction(terminal: Terminal, tmp_path: Path, harm: str) -> None:
    """Else everything would be there with every session alive, and the steps that end them still to come."""
    kept = _written_into(terminal, tmp_path / "kept.backup", f"{harm}; --")
    terminal.rows("UPDATE users SET name = 'Later'")
    assert "no dump of pg_dump's does" in terminal.finding("restore --yes", str(kept))
    assert terminal.rows("SELECT name FROM users") == [("Later",)]
