"""The user PostgreSQL runs as when root starts it: made once, and let through no further than it needs."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ostiary import postgres_user
from ostiary.faults import Refusal

STRANGER = 64_123  # a user id that nobody has


def test_an_ordinary_user_needs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres_user.account() is None


def test_the_user_is_made_when_missing_and_a_failure_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def refuse(command: list[str], **_: Any) -> None:
        asked.append(command)
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_user, "NAME", "nobody-of-this-name")
    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(Refusal, match="start Ostiary as an ordinary user"):
        postgres_user.account()
    assert asked[0][0] == "useradd"
    assert asked[0][-1] == "nobody-of-this-name"


def test_the_way_is_opened_to_one_user_and_to_search_only(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    postgres_user.open_way(closed / "data", STRANGER)
    mode = closed.stat().st_mode
    assert mode & 0o060 == 0, "nobody else can list or write"
    if mode & 0o001:
        pytest.skip("this file system has no access lists")
    entries = postgres_user._entries(closed)
    assert entries[postgres_user.USER, STRANGER] == postgres_user.SEARCH
    postgres_user.open_way(closed / "data", STRANGER)
    assert postgres_user._entries(closed) == entries


def test_without_access_lists_the_folder_can_be_walked_through_but_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: Any) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr(os, "setxattr", unsupported)
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    postgres_user.open_way(closed / "data", STRANGER)
    assert closed.stat().st_mode & 0o777 == 0o701


def test_a_package_unpacked_under_a_strict_umask_becomes_readable(tmp_path: Path) -> None:
    program, library = tmp_path / "bin" / "postgres", tmp_path / "lib" / "library"
    for path, mode in ((program, 0o700), (library, 0o600)):
        path.parent.mkdir(mode=0o700)
        path.touch()
        path.chmod(mode)
    postgres_user.open_tree(tmp_path)
    assert program.stat().st_mode & 0o777 == 0o755
    assert library.stat().st_mode & 0o777 == 0o644
    assert program.parent.stat().st_mode & 0o777 == 0o755
