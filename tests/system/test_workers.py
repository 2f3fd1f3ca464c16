"""`serve` with several workers: one that dies is replaced, all share the sockets, and they end together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import AUTH_SECRET, Databases
from tests.system.test_serve import OUTSIDE, ready
from tests.system.test_up import free_port

WORKERS = 2
WAIT_SECONDS = 30


class Serving:
    def __init__(self, process: "subprocess.Popen[bytes]", port: int, gate: Path) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}/readyz"
        self.gate = gate

    def workers(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def ask_gate(self) -> bytes:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(WAIT_SECONDS)
            line.connect(str(self.gate))
            line.sendall(b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return line.recv(64)


@pytest.fixture
def serving(database: Databases) -> Iterator[Serving]:
    with tempfile.TemporaryDirectory(prefix="ostiary-gate-") as folder:
        port, gate = free_port(), Path(folder, "gate.sock")
        environment = {
            **OUTSIDE,
            "OSTIARY_PUBLIC_URL": f"http://localhost:{port}",
            "OSTIARY_DATABASE_URL": database.auth,
            "OSTIARY_SECRET_KEY": AUTH_SECRET,
            "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
            "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
            "OSTIARY_GATE_LISTEN": f"unix:{gate}",
            "OSTIARY_WORKERS": str(WORKERS),
        }
        line = [sys.executable, "-P", "-m", "ostiary", "serve", "auth", "--port", str(port)]
        process = subprocess.Popen(line, env=environment)
        try:
            running = Serving(process, port, gate)
            assert ready(running.url)
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(WAIT_SECONDS)


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_that_dies_is_replaced_and_all_end_together(serving: Serving) -> None:
    until(lambda: len(serving.workers()) == WORKERS)
    assert serving.ask_gate().startswith(b"HTTP/1.1 401")
    assert serving.gate.stat().st_mode & 0o007 == 0  # whoever may open it is believed
    first = serving.workers()
    os.kill(min(first), signal.SIGKILL)
    until(lambda: len(serving.workers()) == WORKERS and serving.workers() != first)
    assert ready(serving.url)
    assert serving.ask_gate().startswith(b"HTTP/1.1 401")
    now = serving.workers()
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(WAIT_SECONDS) == 0
    assert not any(psutil.pid_exists(worker) for worker in now)


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel tells the children")
def test_without_their_parent_they_end(serving: Serving) -> None:
    until(lambda: len(serving.workers()) == WORKERS)
    workers = serving.workers()
    serving.process.kill()
    until(lambda: not any(_lives(worker) for worker in workers))


def _lives(worker: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(worker).status() != psutil.STATUS_ZOMBIE)
    return False
