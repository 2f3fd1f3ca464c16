"""A backup is one file, there whole or not at all, that shows one moment and can be told from anything else."""

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pyrage
import pytest

from ostiary import postgres_files
from ostiary.backups import Restoring, Taking, archive, passphrases, programs, restore, scratch, take
from ostiary.faults import Refusal
from tests.conftest import Databases
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]

# Without the hashing of a password, which takes its time on a busy machine.
SOMEBODY = """WITH person AS (
        INSERT INTO users (email, name, confirmed_at) VALUES ('ann@example.test', 'Ann', now()) RETURNING id
    ), known AS (INSERT INTO passwords (user_id, hash, adopted_at) SELECT id, 'none', now() FROM person)
    INSERT INTO role_grants (user_id, role_id, reason)
    SELECT person.id, roles.id, '' FROM person, roles WHERE roles.name = 'admin' RETURNING id"""


@pytest.fixture
def kept(terminal: Terminal, tmp_path: Path) -> Path:
    """A backup with one person in it."""
    assert len(terminal.rows(SOMEBODY)) == 1
    terminal.ok("backup", str(tmp_path / "kept.backup"))
    return tmp_path / "kept.backup"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases are made slow to guess; that costs seconds."""
    monkeypatch.setattr(passphrases.locked, "__defaults__", (10,))


def _rows_of(terminal: Terminal) -> list[tuple[int]]:
    return terminal.rows("SELECT count(*) FROM users UNION ALL SELECT count(*) FROM audit_events")


def test_it_says_what_is_in_it_and_nobody_else_may_read_it(terminal: Terminal, kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["kept.backup"]
    with tarfile.open(kept) as tar:
        assert tar.getnames() == ["manifest.json", "dump"]
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest == terminal.json("backup show", str(kept))
    assert manifest["counts"]["users"] == manifest["counts"]["passwords"] == 1
    assert not {"counters", "replicas"} & set(manifest["counts"])
    assert "1 " in terminal.ok("backup show", str(kept))


def test_it_shows_one_moment_whatever_is_written_meanwhile(database: Databases, tmp_path: Path) -> None:
    """Every round adds as many rows to one table as to another; no backup may have more of one."""
    both = """WITH n AS (SELECT generate_series($1::int, $1::int + 99) AS n),
        a AS (INSERT INTO revoked_tokens (jti, expires_at) SELECT 'j' || n, now() FROM n)
        INSERT INTO receipts (audit_event_id, milliseconds) SELECT uuidv7(), 1 FROM n"""

    async def write(stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(database.superuser)
        number = 0
        while not stop.is_set():
            await connection.execute(both, number)
            number += 100
        await connection.close()

    async def both_at_once() -> list[int]:
        stop = asyncio.Event()
        writing = asyncio.create_task(write(stop))
        try:
            manifests = [
                await asyncio.to_thread(take, database.owner, tmp_path / f"{number}", Taking()) for number in range(2)
            ]
        finally:
            stop.set()
            await writing
        assert all(found.counts["revoked_tokens"] == found.counts["receipts"] for found in manifests)
        return [found.counts["receipts"] for found in manifests]

    first, second = asyncio.run(both_at_once())
    assert first < second
    with scratch(database.superuser, "moment") as beside:
        restore(beside, tmp_path / "1", Restoring(as_it_was=True))  # which counts what came out


def test_a_file_that_is_there_is_kept_and_only_our_own_old_ones_go(
    terminal: Terminal, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept.read_bytes()
    assert "is there already" in terminal.refusal("backup", str(kept))
    assert kept.read_bytes() == before
    terminal.ok("backup --force", str(kept))
    assert kept.read_bytes() != before
    folder = kept.parent
    mine = folder / "ostiary-2026-01-01T000000Z.backup"
    mine.write_bytes(before)
    ahead = folder / "ostiary-2999-01-01T000000Z.backup"  # of a clock that was put back since
    ahead.write_bytes(before)
    strange = folder / "ostiary-2026-01-02T000000Z.backup"
    strange.write_bytes(b"a diary")
    told = terminal.json("backup --keep 1", str(folder))
    assert told["removed"] == [str(ahead), str(mine)]
    assert {path.name for path in folder.iterdir()} == {kept.name, strange.name, Path(told["file"]).name}
    assert "--keep is for a folder" in terminal.refusal("backup --keep 2 --force", str(kept))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("only root may make a small disk, and not everywhere")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_what_was_there_and_nothing_half_done(terminal: Terminal, small_disk: Path) -> None:
    old = small_disk / "old.backup"
    old.write_bytes(b"of yesterday")
    said = terminal.refusal("backup --force", str(old))
    assert "is full" in said
    assert "is as it was" in said
    assert [path.name for path in small_disk.iterdir()] == ["old.backup"]
    assert old.read_bytes() == b"of yesterday"


def test_a_folder_that_is_not_there_and_a_user_without_the_right_are_told(terminal: Terminal, tmp_path: Path) -> None:
    assert "cannot be written" in terminal.refusal("backup", str(tmp_path / "no" / "x.backup"))
    url = terminal.database.auth
    assert "ostiary_owner or a superuser" in terminal.refusal("backup --database-url", url, str(tmp_path))
    gone = terminal.database.owner.replace("?host=", "?host=/nowhere")
    assert "does not answer" in terminal.refusal("backup --database-url", gone, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9000])


def _damage(file: Path) -> None:
    written = bytearray(file.read_bytes())
    written[-9000] ^= 1
    file.write_bytes(written)


def _replace(old: bytes, new: bytes, file: Path) -> None:
    assert len(old) == len(new)
    file.write_bytes(file.read_bytes().replace(old, new, 1))


HARM = {
    "cut": (_cut, "is cut short"),
    "damaged": (_damage, "is damaged"),
    "text": (lambda file: file.write_text("hello " * 500), "is no backup of Ostiary"),
    "empty": (lambda file: file.write_text(""), "is no backup of Ostiary"),
    "of a later format": (lambda file: _replace(b'"format": 1', b'"format": 7', file), "has the format 7"),
    "of a later release": (lambda file: _replace(b'"revision": "0', b'"revision": "9', file), "does not know"),
    "without a zone": (lambda file: _replace(b'+00:00"', b'      "', file), "manifest cannot be read"),
    "with words for the terminal": (
        lambda file: _replace(b'"release": "0', b'"release": "\x7f', file),
        "cannot be read",
    ),
    "with a count that is none": (lambda file: _replace(b'"users": 1', b'"users":""', file), "manifest cannot be read"),
    "of other rows": (lambda file: _replace(b'"users": 1', b'"users": 2', file), "other rows came out"),
}


def test_what_is_no_good_backup_changes_nothing(terminal: Terminal, kept: Path) -> None:
    before = _rows_of(terminal)
    for name, (spoil, sentence) in HARM.items():
        spoiled = kept.with_name(name)
        spoiled.write_bytes(kept.read_bytes())
        spoil(spoiled)
        done = terminal.run("restore --yes", str(spoiled))
        assert done.exit_code in {1, 2}, name
        assert sentence in done.stderr
        assert _rows_of(terminal) == before, name


def test_it_is_sealed_for_recipients_and_age_itself_opens_it(terminal: Terminal, kept: Path) -> None:
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    right, wrong, sealed = kept.parent / "right.txt", kept.parent / "wrong.txt", kept.parent / "sealed.backup"
    right.write_text(f"# made by age-keygen\n{key}\n")
    wrong.write_text(f"{other}\n")
    terminal.ok("backup --encrypt-for", str(key.to_public()), str(sealed))
    assert terminal.json("backup show", str(sealed))["encrypted"] == "recipients"
    assert "name the file with the key" in terminal.run("restore --yes", str(sealed)).stderr
    assert "none of these keys" in terminal.run("restore --yes --identity", str(wrong), str(sealed)).stderr
    assert terminal.rows("SELECT count(*) FROM audit_events WHERE event = 'operator:backup:restored'") == [(0,)]
    if age := shutil.which("age"):
        with tarfile.open(sealed) as tar:
            dump = tar.extractfile("dump.age")
            assert dump
            opened = subprocess.run([age, "-d", "-i", str(right)], input=dump.read(), check=True, capture_output=True)
        assert opened.stdout.startswith(b"PGDMP")
    assert "Restored" in terminal.ok("restore --yes --identity", str(right), str(sealed))
    wrong.write_text("# nobody\n")
    assert "names nobody" in terminal.refusal("backup --force --encrypt-for", str(wrong), str(sealed))
    assert "is no recipient" in terminal.refusal("backup --force --encrypt-for", "age1abc", str(sealed))


def test_it_is_sealed_with_a_passphrase(terminal: Terminal, kept: Path) -> None:
    right, wrong, sealed = kept.parent / "right.txt", kept.parent / "wrong.txt", kept.parent / "sealed.backup"
    right.write_text("otter river\n")
    wrong.write_text("river otter\n")
    terminal.ok("backup --passphrase-file", str(right), str(sealed))
    assert "--passphrase-file" in terminal.run("restore --yes", str(sealed)).stderr
    assert "not the passphrase" in terminal.run("restore --yes --passphrase-file", str(wrong), str(sealed)).stderr
    assert "Restored" in terminal.ok("restore --yes --passphrase-file", str(right), str(sealed))
    swapped = terminal.run("restore --yes --passphrase-file", str(right), str(kept)).stderr
    assert "is not encrypted, though you have named what opens it" in swapped
    wrong.write_text("\n")
    assert "is empty" in terminal.refusal("backup --force --passphrase-file", str(wrong), str(sealed))


def test_a_password_is_not_in_the_list_of_processes() -> None:
    shown, environment = programs.without_password("postgresql://o:p%40ss@db.example:5/x?sslmode=require")
    assert (shown, environment["PGPASSWORD"]) == ("postgresql://o@db.example:5/x?sslmode=require", "p@ss")
    socket = "postgresql://ostiary_owner@/ostiary?host=/run/x"
    assert programs.without_password(socket)[0] == socket
    assert programs.without_password("postgresql:///ostiary?host=/run/x")[0] == "postgresql:///ostiary?host=/run/x"


def test_pg_dump_fits_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "pg_dump"
    stand_in.write_text("#!/bin/sh\necho pg_dump '(PostgreSQL) 19.1'\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.find("pg_dump", 19) == stand_in
    assert programs.find("pg_dump", 18) == postgres_files.program("pg_dump")
    with pytest.raises(Refusal, match="PostgreSQL 20"):
        programs.find("pg_dump", 20)


def test_the_archive_is_read_in_pieces(kept: Path) -> None:
    opened = archive.read(kept)
    heard: list[int] = []
    archive.check(opened, heard.append)
    assert heard[-1] == opened.manifest.size
