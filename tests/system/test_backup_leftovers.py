"""What a command that was killed has left is told, or goes; what a backup takes along of others is told."""

import os
import time
from pathlib import Path

from ostiary.backups import scratch
from tests.conftest import Databases
from tests.system.test_backup import SOMEBODY
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]


def test_copies_of_the_database_are_told_with_how_to_drop_them(
    terminal: Terminal, database: Databases, tmp_path: Path
) -> None:
    kept = str(tmp_path / "kept.backup")
    terminal.rows(SOMEBODY)
    with scratch(database.superuser, "drill") as beside, scratch(database.superuser, "sketch"):
        name = beside.partition("?")[0].rpartition("/")[2]
        for command in (f"backup --force {kept}", "upgrade --check"):
            said = terminal.run(command)
            assert said.exit_code == 0, said.output
            assert f"say: DROP DATABASE {name};" in said.stderr
        drilled = terminal.run(f"backup drill {kept} --database-url", database.superuser)
        assert f"DROP DATABASE {name};" in drilled.stderr
    assert "DROP DATABASE" not in terminal.run(f"backup --force {kept}").stderr


def test_files_that_nobody_writes_any_more_go(terminal: Terminal, tmp_path: Path) -> None:
    old = time.time() - 7200
    names = {
        ".kept.backup.a_b1cdef.unfinished": old,
        ".ostiary-2026-01-01T000000Z.backup.abcdefgh.unfinished": old,
        ".ostiary-2026-01-02T000000Z.backup.abcdefgh.unfinished": time.time(),
        ".diary.abcdefgh.unfinished": old,
    }
    for name, written in names.items():
        (tmp_path / name).write_text("half")
        os.utime(tmp_path / name, (written, written))
    terminal.ok("backup", str(tmp_path / "kept.backup"))
    assert {path.name for path in tmp_path.iterdir()} == {"kept.backup", *list(names)[2:]}


def test_functions_of_others_are_told_as_no_restore_goes_beside_them(terminal: Terminal, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept.backup")
    terminal.rows("CREATE FUNCTION theirs(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    try:
        assert "theirs(integer)" in terminal.run(f"backup {kept}").stderr
        assert "is not Ostiary's" in terminal.run(f"restore --yes {kept}").stderr
    finally:
        terminal.rows("DROP FUNCTION theirs(integer)")
    assert terminal.run(f"backup --force {kept}").stderr == ""
