"""`./ostiary up` as a process of its own: starts, serves, stops cleanly, keeps its data, and says what is wrong."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from ostiary import home as folder
from ostiary import postgres, postgres_files

START_SECONDS = 60
STOP_SECONDS = 10
READY = "Ctrl-C stops"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], object], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass
class Up:
    """A running `up`."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int
    mail_port: int

    def said(self) -> str:
        return self.output.read_text()

    def get(self, path: str, port: int | None = None) -> Any:
        url = f"http://127.0.0.1:{port or self.port}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith(("{", "[")) else text

    def answers(self) -> bool:
        try:
            return bool(self.get("/readyz") == {"status": "ready"})
        except OSError:
            return False

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C: the terminal sends it to the whole foreground group."""
        os.killpg(self.process.pid, number)
        return self.process.wait(STOP_SECONDS)


def command(home: Path, *more: str) -> list[str]:
    return [sys.executable, "-P", "-m", "ostiary", "up", "--data", str(home), *more]


@contextmanager
def up(home: Path, *more: str) -> Iterator[Up]:
    port, mail_port = free_port(), free_port()
    output = home.parent / f"output-{port}"
    with output.open("wb") as log:
        line = command(home, "--port", str(port), "--mail-port", str(mail_port), *more)
        process = subprocess.Popen(line, stdout=log, stderr=log, start_new_session=True)
    running = Up(process, output, port, mail_port)
    try:
        assert eventually(lambda: READY in running.said() or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, running.said()
        yield running
    finally:
        if process.poll() is None:
            running.stop()


def refused(home: Path, *more: str) -> str:
    """What an `up` says that does not start: one sentence, no traceback, exit status 2."""
    done = subprocess.run(command(home, *more), capture_output=True, text=True, check=False, timeout=START_SECONDS)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("ostiary: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def other(home: Path, *words: str) -> Any:
    """The answer of another command on the same data."""
    line = [sys.executable, "-P", "-m", "ostiary", *words, "--data", str(home), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=START_SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_it_starts_serves_all_of_it_and_ends_by_ctrl_c_with_nothing_left_running(home: Path) -> None:
    with up(home) as running:
        assert running.answers()
        assert running.get("/admin/readyz") == {"status": "ready"}
        assert "Mailbox" in running.get("/", running.mail_port)
        assert running.get("/api/messages", running.mail_port) == []
        said = running.said()
        for address in (
            f"localhost:{running.port} ",
            f"localhost:{running.port}/admin",
            f"localhost:{running.mail_port}",
        ):
            assert f"http://{address}" in said
        assert re.search(rf"^http://localhost:{running.port}/claim\?token=\S+$", said, re.MULTILINE)
        server = postgres.server_process(home)
        assert server is not None
        family = [server, *psutil.Process(running.process.pid).children(recursive=True)]
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 5
        assert not [process for process in family if process.is_running()]
    assert (home / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o007 == 0


def test_the_second_start_has_the_same_data_and_other_commands_find_it_running_or_not(home: Path) -> None:
    with up(home) as first:
        other(home, "users", "create", "ann@example.test")
        assert [person["email"] for person in other(home, "users", "list")] == ["ann@example.test"]
        assert eventually(lambda: first.get("/api/messages", first.mail_port))
        assert first.get("/api/messages", first.mail_port)[0]["to"] == "ann@example.test"
        keys = (home / "secrets.json").read_text()
    assert [person["email"] for person in other(home, "users", "list")] == ["ann@example.test"]
    assert postgres.server_process(home) is None
    with up(home) as second:
        assert [person["email"] for person in other(home, "users", "list")] == ["ann@example.test"]
        assert (home / "secrets.json").read_text() == keys
        assert second.stop(signal.SIGTERM) == 0


def test_after_a_kill_the_database_ends_by_itself_and_the_next_start_works(home: Path) -> None:
    with up(home) as running:
        server = int(postgres_files.pid_lines(home)[0])
        running.process.kill()
        running.process.wait()
        assert eventually(lambda: not psutil.pid_exists(server))
    with up(home) as again:
        assert again.answers()


def test_the_database_killed_under_it_comes_back_by_itself(home: Path) -> None:
    with up(home) as running:
        os.kill(int(postgres_files.pid_lines(home)[0]), signal.SIGKILL)
        assert eventually(lambda: not running.answers()) or True
        assert eventually(running.answers, 10)
        assert running.stop() == 0


def test_samples_are_added_on_request_once_and_never_by_default(home: Path) -> None:
    with up(home) as plain:
        assert "password" not in plain.said()
        assert other(home, "users", "list") == []
    passwords, people = [], []
    for _ in range(2):
        with up(home, "--demo") as running:
            found = re.search(r"with the password (\S+)", running.said())
            assert found
            passwords.append(found[1])
            people = other(home, "users", "list")
    assert passwords[0] == passwords[1]
    assert len(people) > 60  # more than one page of the console
    [question] = re.findall(r"`\./ostiary (explain \S+ \S+)`", (folder.REPOSITORY / "README.md").read_text())
    line = [sys.executable, "-P", "-m", "ostiary", *question.split(), "--data", str(home)]
    explained = subprocess.run(line, capture_output=True, text=True, check=False, timeout=START_SECONDS)
    assert (explained.returncode, "✗ Is the role editor held?" in explained.stdout) == (1, True)
    assert {bool(person["locked_at"]) for person in people} == {True, False}
    assert "editor" in [role["name"] for role in other(home, "roles", "list")]
    assert all(person["email"].endswith("@example.test") for person in people)


def test_settings_that_it_ignores_are_named_at_the_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_PUBLIC_URL", "https://login.example.org")
    monkeypatch.setenv("OSTIARY_COOKIE_DOMAIN", "example.org")
    with up(home) as running:
        [line] = [line for line in running.said().splitlines() if "ignored" in line]
        assert line.startswith("ostiary: OSTIARY_COOKIE_DOMAIN, OSTIARY_PUBLIC_URL are ignored: up makes its own")
        assert "./ostiary serve" in line
        assert running.get("/readyz")


def test_a_busy_port_is_named_with_the_option_that_chooses_another(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert re.search(rf"port {port} cannot be used .* --port\.$", refused(home, "--port", port))
        said = refused(home, "--port", str(free_port()), "--mail-port", port)
        assert re.search(rf"port {port} cannot be used .* --mail-port\.$", said)


def test_a_second_up_on_the_same_data_is_told_of_the_first(home: Path) -> None:
    with up(home):
        said = refused(home, "--port", str(free_port()), "--mail-port", str(free_port()))
        assert "another ./ostiary up" in said
        assert "--data" in said


def test_a_data_folder_that_cannot_be_written_is_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = [tmp_path / "file" / "data"]
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        places.append(tmp_path / "closed" / "data")
    for place in places:
        said = refused(place, "--port", str(free_port()), "--mail-port", str(free_port()))
        assert str(place) in said
        assert "--data" in said


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(home: Path) -> None:
    async def become_newer() -> None:
        connection = await asyncpg.connect(start.cluster.url("ostiary_owner", "ostiary"))
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()

    with up(home):
        pass
    with ExitStack() as stack:
        start = stack.enter_context(postgres.started(home))
        postgres.wait(start)
        asyncio.run(become_newer())
    said = refused(home, "--port", str(free_port()), "--mail-port", str(free_port()))
    assert "9999" in said
    assert "later" in said
    assert postgres.server_process(home) is None


def test_a_port_that_is_no_number_is_wrong_usage(home: Path) -> None:
    done = subprocess.run(command(home, "--port", "many"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--port" in done.stderr
