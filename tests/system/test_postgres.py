"""The embedded PostgreSQL: kept data, a clean end, recovery from every way of dying, and any path."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest

from ostiary import postgres, postgres_files, postgres_user
from ostiary.faults import Refusal

HOLD = """
import pathlib, sys, time
from ostiary import postgres
with postgres.started(pathlib.Path(sys.argv[1])) as start:
    print(postgres.wait(start).sockets, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


def ask(cluster: postgres.Cluster, *statements: str) -> object:
    """The answer to the last statement."""

    async def run() -> object:
        connection = await asyncpg.connect(cluster.url("postgres", "postgres"))
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def hold(home: Path) -> tuple[subprocess.Popen[str], int, Path]:
    """A process that runs the server of `home`, the server's own process, and its socket folder."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    sockets = Path(holder.stdout.readline().strip())
    holder.stdout.close()
    return holder, int(postgres_files.pid_lines(home)[0]), sockets


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_data_survives_a_restart_and_nothing_is_left_running(home: Path) -> None:
    with postgres.started(home) as start:
        ask(postgres.wait(start), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)", "SELECT 1")
    assert postgres.server_process(home) is None
    assert not start.cluster.sockets.exists()
    with postgres.started(home) as again:
        assert ask(postgres.wait(again), "SELECT n FROM kept") == 7
        assert ask(again.cluster, "SELECT casefold('STRAßE' COLLATE pg_unicode_fast)") == "strasse"
        assert ask(again.cluster, "SHOW listen_addresses") == ""


def test_the_socket_is_in_a_folder_that_is_closed_to_others_and_short(home: Path) -> None:
    deep = home / "/".join(["a-folder-with-quite-a-long-name"] * 6)
    deep.mkdir(parents=True)
    with postgres.started(deep) as start:
        assert postgres.wait(start).sockets.stat().st_mode & 0o077 == 0
        assert ask(start.cluster, "SELECT 1") == 1
        assert postgres.running(deep) == start.cluster


def test_the_server_ends_by_itself_when_whoever_started_it_is_killed(home: Path) -> None:
    holder, server, sockets = hold(home)
    holder.kill()
    holder.wait()
    assert eventually(lambda: not psutil.pid_exists(server))
    assert eventually(lambda: not sockets.exists())
    with postgres.started(home) as start:
        assert ask(postgres.wait(start), "SELECT 1") == 1


def test_a_server_that_outlived_its_keeper_is_ended_first(home: Path) -> None:
    holder, server, _ = hold(home)
    for process in [*psutil.Process(holder.pid).children(recursive=True), psutil.Process(holder.pid)]:
        if process.name() == "sh":
            process.kill()
    holder.kill()
    holder.wait()
    with postgres.started(home) as start:
        assert ask(postgres.wait(start), "SELECT 1") == 1
        assert not psutil.pid_exists(server)


def test_a_server_killed_outright_recovers_what_was_committed(home: Path) -> None:
    with postgres.started(home) as start:
        ask(postgres.wait(start), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)", "SELECT 1")
        os.kill(int(postgres_files.pid_lines(home)[0]), signal.SIGKILL)
        start.keeper.wait(10)
    assert postgres_files.pid_file(home).exists()
    with postgres.started(home) as again:
        assert ask(postgres.wait(again), "SELECT n FROM kept") == 7


def test_a_stale_pid_file_that_names_a_stranger_does_not_stop_the_start(home: Path) -> None:
    with postgres.started(home) as start:
        postgres.wait(start)
    lines = [str(os.getpid()), str(home / "postgres"), "1", "5432", "/nowhere", "", "1 1", "ready"]
    postgres_files.pid_file(home).write_text("\n".join(lines))
    assert postgres.running(home) is None
    with postgres.started(home) as again:
        assert ask(postgres.wait(again), "SELECT 1") == 1
    postgres_files.pid_file(home).write_text("bogus")
    with postgres.started(home) as once_more:
        assert ask(postgres.wait(once_more), "SELECT 1") == 1


def test_a_data_folder_of_another_version_is_refused(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(Refusal, match="written by PostgreSQL 17"), postgres.started(home):
        pass


def test_a_server_that_gives_up_is_told_with_its_last_words(home: Path) -> None:
    with postgres.started(home) as start:
        postgres.wait(start)
    with (home / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = nonsense\n")
    with postgres.started(home) as again, pytest.raises(Refusal, match=r"did not start: .*contains errors"):
        postgres.wait(again)


def test_an_interrupted_first_start_leaves_nothing_half_made(home: Path) -> None:
    (home / "postgres.new" / "base").mkdir(parents=True)
    with postgres.started(home) as start:
        assert ask(postgres.wait(start), "SELECT 1") == 1
    assert not (home / "postgres.new").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_as_root_the_server_runs_as_its_own_user_even_below_a_private_folder(home: Path) -> None:
    home.chmod(0o700)
    account = postgres_user.account()
    assert account is not None
    with postgres.started(home) as start:
        postgres.wait(start)
        server = postgres.server_process(home)
        assert server is not None
        assert server.uids().real == account.pw_uid
    assert home.stat().st_mode & 0o007 == 0, "only the one user is let through"
    home.chmod(0o700)  # which closes the mask of the access list
    with postgres.started(home) as again:
        assert ask(postgres.wait(again), "SELECT 1") == 1
