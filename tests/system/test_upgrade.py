"""`./ostiary upgrade`: what it says before, what it does, how it goes back, and when it would rather not."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result

from ostiary.cli import group
from ostiary_shared.migrations import chain
from ostiary_shared.release import SCHEMA, VERSION
from tests.conftest import Databases
from tests.system import released
from tests.system.test_migrate import execute

OLD = "0.1.0"


@pytest.fixture
def old(worker_id: str) -> Iterator[Databases]:
    with released.database(f"upgrade_{worker_id}", OLD) as database:
        yield database


def upgrade(url: str, *words: str, typed: str = "") -> Result:
    done = CliRunner().invoke(group, ["upgrade", *words], input=typed, env={"OSTIARY_DATABASE_URL": url})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "Traceback" not in done.output
    return done


def revision(url: str) -> str:
    return str(execute(url, "SELECT version_num FROM alembic_version")[0][0])


@contextlib.contextmanager
def running(url: str, name: str) -> Iterator[None]:
    """A service of another release, as far as the database can tell."""
    loop = asyncio.new_event_loop()
    line = loop.run_until_complete(asyncpg.connect(url, server_settings={"application_name": name}))
    try:
        yield
    finally:
        loop.run_until_complete(line.close())
        loop.close()


def test_a_check_tries_it_on_a_copy_and_changes_nothing(old: Databases) -> None:
    names = "SELECT datname FROM pg_database WHERE datname LIKE '%rehearsal%'"
    with running(old.auth, "ostiary-auth"), running(old.admin, "ostiary-admin"):
        said = upgrade(old.superuser, "--check").stdout
        assert f"From {OLD} to {VERSION}" in said
        assert "At work: admin 0.1.0, auth 0.1.0" in said
        assert "They may go on serving meanwhile and afterwards." in said
        assert "ALTER TABLE messages ADD COLUMN request_id" in said
        assert "messages: nobody else can read or write it for" in said
        assert "Nothing speaks against it." in said
    found: dict[str, Any] = json.loads(upgrade(old.superuser, "--check", "--json").stdout)
    assert found["to"] == {"release": VERSION, "revision": SCHEMA}
    assert found["against"] == []
    assert [one["revision"] for one in found["pending"]] == ["0003"]
    locks = [lock for one in found["rehearsal"]["statements"] for lock in one["locks"]]
    assert [(lock["table"], lock["mode"]) for lock in locks] == [("messages", "AccessExclusiveLock")]
    assert 0 < locks[0]["seconds"] <= found["rehearsal"]["seconds"]
    assert revision(old.owner) == "0002"
    assert execute(old.superuser, names) == []


def test_it_takes_a_backup_goes_forth_and_back(old: Databases, tmp_path: Path) -> None:
    assert upgrade(old.owner).exit_code == 2
    assert "--backup-to DIR, or --no-backup" in upgrade(old.owner).stderr
    assert revision(old.owner) == "0002"
    done = upgrade(old.owner, "--backup-to", str(tmp_path))
    assert done.exit_code == 0, done.output
    (backup,) = tmp_path.iterdir()
    assert backup.name.startswith(f"ostiary-before-{VERSION}-")
    assert revision(old.owner) == SCHEMA
    assert execute(old.auth, f"SELECT lives_with, backup FROM schema_revisions WHERE revision = '{SCHEMA}'") == [
        ("0002", str(backup))
    ]
    assert "nothing to do" in upgrade(old.owner, "--check").stdout
    back = upgrade(old.owner, "--undo", "--json", "--yes")
    assert json.loads(back.stdout) == {"from": SCHEMA, "to": "0002"}
    further = upgrade(old.owner, "--undo")
    assert further.exit_code == 1
    assert "0002 cannot be taken back" in further.stderr
    assert json.loads(upgrade(old.owner, "--no-backup", "--json").stdout)["revision"] == SCHEMA


def test_the_way_back_is_gone_only_by_who_says_yes(old: Databases) -> None:
    upgrade(old.owner, "--no-backup")
    for typed in ("", "n\n"):  # nobody is there, or somebody thinks better of it
        asked = upgrade(old.owner, "--undo", typed=typed)
        assert (asked.exit_code, revision(old.owner)) == (1, SCHEMA)
        assert f"  {SCHEMA}: " in asked.stdout
        assert "Go on?" in asked.stdout
    unasked = upgrade(old.owner, "--undo", "--json")
    assert (unasked.exit_code, revision(old.owner)) == (2, SCHEMA)
    assert "with --json nobody can be asked; say --yes" in unasked.stderr
    assert upgrade(old.owner, "--undo", typed="y\n").exit_code == 0
    assert revision(old.owner) == "0002"


def test_what_would_lose_something_is_not_undone_and_names_the_backup(
    old: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(old.owner, "--backup-to", str(tmp_path))
    steps = chain.steps()
    losing = (*steps[:-1], replace(steps[-1], loses={"mails": "SELECT count(*) FROM messages"}))
    monkeypatch.setattr(chain, "steps", lambda: losing)
    refused = upgrade(old.owner, "--undo")
    assert refused.exit_code == 1
    assert "this would lose" in refused.stderr
    assert str(next(tmp_path.iterdir())) in refused.stderr
    assert revision(old.owner) == SCHEMA


def test_services_that_would_miss_it_hold_the_way_back(old: Databases) -> None:
    upgrade(old.owner, "--no-backup")
    with running(old.admin, f"ostiary-admin {VERSION}"):
        refused = upgrade(old.owner, "--undo")
    assert refused.exit_code == 1
    assert f"admin {VERSION} would miss what is taken away: roll the services back to {OLD} first" in refused.stderr
    assert revision(old.owner) == SCHEMA


def test_what_speaks_against_it_stops_it(old: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    untried = upgrade(old.owner, "--check")  # this user may not create a database
    assert untried.exit_code == 1
    assert "could not be rehearsed" in untried.stdout
    assert "CREATEDB" in untried.stdout
    with running(old.auth, "ostiary-auth 99.0.0"):
        later = upgrade(old.owner, "--no-backup")
    assert later.exit_code == 1
    assert "upgrade with the code of 99.0.0" in later.stderr
    steps = chain.steps()
    monkeypatch.setattr(chain, "steps", lambda: (*steps[:-1], replace(steps[-1], lives_with=SCHEMA)))
    with running(old.admin, "ostiary-admin"):
        stranger = upgrade(old.owner, "--no-backup")
    assert stranger.exit_code == 1
    assert "admin 0.1.0 runs and cannot serve on revision 0003" in stranger.stderr
    assert revision(old.owner) == "0002"


def test_contradictions_and_a_newer_database_are_told_in_a_sentence(old: Databases) -> None:
    for words, sentence in (
        (("--check", "--undo"), "--check and --undo contradict"),
        (("--no-backup", "--backup-to", "/tmp"), "--no-backup and --backup-to contradict"),
        (("--backup-to", "/nowhere"), "does not exist"),
    ):
        wrong = upgrade(old.owner, *words)
        assert wrong.exit_code == 2
        assert sentence in wrong.stderr
    execute(old.superuser, "UPDATE alembic_version SET version_num = '9999'", "SELECT 1")
    newer = upgrade(old.owner, "--check")
    assert newer.exit_code == 1
    assert "revision 9999, which release" in newer.stderr
