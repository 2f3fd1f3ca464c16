"""`keys database`: a role gets another password while its service makes new connections all the time."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from ostiary import passfile
from ostiary.cli import group
from ostiary.passfile import Login
from ostiary_shared import migrations
from ostiary_shared.database import connect, make_engine, make_sessions, trouble
from tests.conftest import SERVER, Databases

FIRST = "first-password-of-auth"
ROTATIONS = 4
AT_ONCE = 3


class Rules:
    """Whom the server lets in how; the run's other tests go by what stood there before."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.before = self.path.read_text()

    def begin_with(self, line: str) -> None:
        self.path.write_text(f"{line}\n{self.before}")

    def restore(self) -> None:
        self.path.write_text(self.before)


def passfile_with(folder: Path, text: str) -> Path:
    file = folder / "pgpass"
    file.write_text(text)
    file.chmod(0o600)
    return file


@pytest.fixture
async def strict(worker_id: str, tmp_path: Path) -> AsyncIterator[Login]:
    """A database of which the server asks auth's password, which stands in a passfile with other lines."""
    name = f"strict_{worker_id}"
    found = Databases(os.environ[SERVER], name)
    server = await asyncpg.connect(os.environ[SERVER])
    rules = Rules(str(await server.fetchval("SHOW hba_file")))
    try:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.execute(f'CREATE DATABASE "{name}"')
        await asyncio.to_thread(migrations.create_roles, found.superuser, {"ostiary_auth": FIRST})
        rules.begin_with(f"local {name} ostiary_auth scram-sha-256")
        await server.execute("SELECT pg_reload_conf()")
        file = passfile_with(tmp_path, f"# of the house\n*:*:*:ostiary_admin:hers\n*:*:*:ostiary_auth:{FIRST}\n")
        yield Login(f"{found.auth}&passfile={file}", "ostiary_auth", "", file)
    finally:
        rules.restore()
        await server.execute("SELECT pg_reload_conf()")
        await server.execute("ALTER ROLE ostiary_auth PASSWORD NULL")
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.close()


def keys_database(url: str | None, *more: str) -> Result:
    done = CliRunner().invoke(group, ["keys", "database", *more], env={"OSTIARY_DATABASE_URL": url})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


async def test_whoever_connects_meanwhile_gets_in(strict: Login, tmp_path: Path) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(strict.url, password="another")
    other = tmp_path / "auth.password"
    other.write_text(FIRST + "\n")
    done, made = asyncio.Event(), [0] * AT_ONCE

    async def visit(number: int) -> None:
        while not done.is_set():
            await (await connect(strict.url)).close()
            made[number] += 1

    visitors = [asyncio.create_task(visit(number)) for number in range(AT_ONCE)]
    passwords = {FIRST}
    for _ in range(ROTATIONS):
        said = await asyncio.to_thread(keys_database, strict.url, "--password-file", str(other))
        assert said.exit_code == 0, said.output
        passwords.add(passfile.password_in(strict.passfile.read_text(), strict))
        assert passwords >= {other.read_text().strip()}
        before = list(made)
        while any(now == then for now, then in zip(made, before, strict=True)):
            assert not any(visitor.done() for visitor in visitors), visitors
            await asyncio.sleep(0.01)
    done.set()
    await asyncio.gather(*visitors)
    assert len(passwords) == ROTATIONS + 1
    text = strict.passfile.read_text()
    assert text.startswith("# of the house\n*:*:*:ostiary_admin:hers\n*:*:*:ostiary_auth:")
    assert strict.passfile.stat().st_mode & 0o777 == 0o600


async def test_a_service_that_runs_goes_on_with_new_connections(strict: Login) -> None:
    await asyncio.to_thread(migrations.upgrade, strict.url.partition("&")[0].replace("ostiary_auth@", "ostiary_owner@"))
    engine = make_engine(strict.url, "test", pool_size=2)
    opened = make_sessions(engine)
    assert await trouble(opened) == ""
    assert (await asyncio.to_thread(keys_database, strict.url)).exit_code == 0
    assert await trouble(opened) == ""
    superuser = await asyncpg.connect(os.environ[SERVER])
    await superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ostiary_auth'")
    await superuser.close()
    assert await trouble(opened) == ""
    await engine.dispose()


async def test_when_the_file_cannot_be_replaced_the_old_password_counts_again(
    strict: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ostiary import rewriting
    from ostiary.faults import Refusal

    def refuse(beside: Path, path: Path) -> None:
        raise Refusal(f"{path} cannot be replaced")

    before = strict.passfile.read_text()
    monkeypatch.setattr(rewriting, "put", refuse)
    done = await asyncio.to_thread(keys_database, strict.url)
    assert (done.exit_code, "cannot be replaced" in done.stderr) == (2, True)
    assert strict.passfile.read_text() == before
    await (await connect(strict.url)).close()


async def test_when_only_one_of_two_files_can_be_replaced_neither_is(
    strict: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ostiary import rewriting
    from ostiary.faults import Refusal

    alone, put = tmp_path / "auth.password", rewriting.put

    def refuse(beside: Path, path: Path) -> None:
        if path == alone:
            raise Refusal(f"{path} cannot be replaced")
        put(beside, path)

    alone.write_text("the one of before\n")
    before = strict.passfile.read_text()
    monkeypatch.setattr(rewriting, "put", refuse)
    done = await asyncio.to_thread(keys_database, strict.url, "--password-file", str(alone))
    assert (done.exit_code, "cannot be replaced" in done.stderr) == (2, True)
    assert (strict.passfile.read_text(), alone.read_text()) == (before, "the one of before\n")
    await (await connect(strict.url)).close()


async def test_the_server_never_sees_the_password(strict: Login) -> None:
    said = passfile.statement("a password of 32 characters or so")
    assert "a password" not in said
    connection = await connect(strict.url)
    await connection.execute(said)
    await connection.close()
    await (await asyncpg.connect(strict.url, password="a password of 32 characters or so")).close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "the database of ./ostiary up has no passwords"),
        ("postgresql://ostiary_auth:open@db/ostiary", "stands in OSTIARY_DATABASE_URL itself"),
        ("postgresql://ostiary_auth@db/ostiary", "names no passfile"),
        ("postgresql://ostiary_auth@db/ostiary?passfile=/nowhere/pgpass", "/nowhere/pgpass cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(url: str | None, says: str) -> None:
    done = keys_database(url)
    assert (done.exit_code, says in done.stderr) == (2, True), done.output


def test_a_file_without_a_line_for_the_role_is_told(tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:somebody:else\n")
    done = keys_database(f"postgresql://ostiary_auth@db/ostiary?passfile={file}")
    assert "has no line for ostiary_auth; it looks like *:*:*:ostiary_auth:PASSWORD" in done.stderr
    assert list(tmp_path.iterdir()) == [file]
