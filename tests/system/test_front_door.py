"""The front door script: prepares once, says one sentence when it cannot, and hands everything over."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "ostiary"
FAKE_UV = """#!/bin/sh
echo "$@" >> {log}
exit {status}
"""


@dataclass
class Clone:
    """A small repository with the real front door, and a uv that only writes down what it was asked."""

    root: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.root / 'bin'}:/usr/bin:/bin"
        command = [sys.executable, str(self.root / "ostiary"), *arguments]
        return subprocess.run(
            command, env={"PATH": path, **environment}, capture_output=True, text=True, check=False, timeout=60
        )

    def installs(self) -> list[str]:
        log = self.root / "uv.log"
        return log.read_text().splitlines() if log.exists() else []

    def uv_answers(self, status: int) -> None:
        uv = self.root / "bin" / "uv"
        uv.write_text(FAKE_UV.format(log=self.root / "uv.log", status=status))
        uv.chmod(0o755)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    for folder in ("bin", "tests", "deploy/ostiary"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "ostiary")
    (tmp_path / "requirements.lock").write_text("a==1\n")
    (tmp_path / "tests" / "requirements.lock").write_text("b==2\n")
    (tmp_path / "deploy" / "ostiary" / "__main__.py").write_text("import sys; print('ran', *sys.argv[1:])\n")
    made = Clone(tmp_path)
    made.uv_answers(0)
    return made


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What was said last; the exit status is that of wrong usage and nothing looks like a traceback."""
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_the_first_run_installs_with_hashes_and_the_second_installs_nothing(clone: Clone) -> None:
    first, second = clone.run("up", "--port", "9"), clone.run("up")
    assert (first.stdout, second.stdout) == ("ran up --port 9\n", "ran up\n")
    assert len(clone.installs()) == 1
    assert "--require-hashes" in clone.installs()[0]
    assert "tests/requirements.lock" not in clone.installs()[0]
    assert "Preparing" in first.stderr
    assert second.stderr == ""


def test_testing_adds_the_packages_for_tests_once_and_up_needs_no_more(clone: Clone) -> None:
    for command in ("up", "test", "up", "test"):
        assert clone.run(command).returncode == 0
    assert ["tests/requirements.lock" in line for line in clone.installs()] == [False, True]


def test_a_changed_lock_is_installed_anew(clone: Clone) -> None:
    clone.run("up")
    (clone.root / "requirements.lock").write_text("a==2\n")
    clone.run("up")
    assert len(clone.installs()) == 2


def test_a_failed_installation_is_told_and_tried_again(clone: Clone) -> None:
    clone.uv_answers(1)
    assert "is there a way to the package index" in one_sentence(clone.run("up"))
    clone.uv_answers(0)
    assert clone.run("up").stdout == "ran up\n"


def test_a_folder_that_cannot_be_written_is_named(clone: Clone) -> None:
    (clone.root / "file").touch()
    said = one_sentence(clone.run("up", OSTIARY_VENV=str(clone.root / "file" / "venv")))
    assert str(clone.root / "file" / "venv") in said
    assert "OSTIARY_VENV" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_clone_is_named(clone: Clone) -> None:
    clone.root.chmod(0o500)
    assert "make the folder writable" in one_sentence(clone.run("up"))


def test_a_missing_venv_module_names_the_package_to_install(clone: Clone) -> None:
    (clone.root / "bin" / "uv").unlink()
    (clone.root / "sitecustomize.py").write_text("import sys; sys.modules['ensurepip'] = None")
    said = one_sentence(clone.run("up", PYTHONPATH=str(clone.root)))
    assert said == "ostiary: Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"


def test_an_old_python_is_told_which_one_to_install(clone: Clone) -> None:
    (clone.root / "sitecustomize.py").write_text("import sys; sys.version_info, sys.version = (3, 10), '3.10.1 (old)'")
    said = one_sentence(clone.run("up", PYTHONPATH=str(clone.root)))
    assert said == "ostiary: this is Python 3.10.1; install 3.11 or newer and run: python3.11 ostiary up"


def test_the_script_needs_the_standard_library_only_and_stays_short() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= 60
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names
