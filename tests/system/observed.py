"""The three services as processes of their own, talkative and with an internal port each, on this worker's database."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.conftest import ADMIN_SECRET, AUTH_SECRET, Databases
from tests.system.test_serve import OUTSIDE
from tests.system.test_up import free_port

WAIT_SECONDS = 60
SERVICES = ("auth", "admin", "courier")


@dataclass
class Observed:
    """Where they are, and what they wrote."""

    folder: Path
    smtp_port: int
    auth: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    inside: dict[str, int] = field(default_factory=lambda: {service: free_port() for service in SERVICES})
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def ask(self, service: str, path: str) -> tuple[int, str]:
        """A question at an internal port."""
        return asked(f"http://127.0.0.1:{self.inside[service]}{path}")

    def series(self, service: str) -> set[str]:
        """The names of the series that a service has now."""
        lines = self.ask(service, "/metrics")[1].splitlines()
        return {line.partition("{")[0].partition(" ")[0] for line in lines if line and not line.startswith("#")}

    def figure(self, service: str, start: str) -> float:
        """The sum of the series that begin so."""
        lines = self.ask(service, "/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))

    def written(self) -> str:
        """All they wrote."""
        return "".join((self.folder / f"{service}.log").read_text() for service in SERVICES)

    def lines(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Their lines of one event with these fields."""
        found = [json.loads(line) for line in self.written().splitlines()]
        return [line for line in found if line["event"] == event and fields.items() <= line.items()]


def asked(url: str) -> tuple[int, str]:
    """Status and text of a GET; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(what: Any) -> Any:
    """What becomes true, waited for."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def observed(database: Databases, folder: Path, smtp_port: int) -> Iterator[Observed]:
    """All three, ready; ended in the end."""
    here = Observed(folder, smtp_port)
    common = {
        **OUTSIDE,
        "OSTIARY_PUBLIC_URL": f"http://localhost:{here.auth}",
        "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
        "OSTIARY_LOG_LEVEL": "debug",
    }
    of_auth = {
        "OSTIARY_DATABASE_URL": database.auth,
        "OSTIARY_SECRET_KEY": AUTH_SECRET,
        "OSTIARY_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
        "OSTIARY_RUNTIME_DIR": str(folder),
    }
    of_admin = {
        "OSTIARY_DATABASE_URL": database.admin,
        "OSTIARY_SECRET_KEY": ADMIN_SECRET,
        "OSTIARY_AUTH_URL": f"http://127.0.0.1:{here.auth}",
    }
    told = {
        "auth": (("--port", str(here.auth)), {**of_auth, "OSTIARY_WORKERS": "2"}),
        "admin": (("--port", str(here.admin)), of_admin),
        "courier": ((), of_auth),
    }
    with contextlib.ExitStack() as kept:
        kept.callback(_end, here.processes)
        for service, (words, settings) in told.items():
            where = {"OSTIARY_METRICS_LISTEN": f"127.0.0.1:{here.inside[service]}"}
            log = kept.enter_context((folder / f"{service}.log").open("wb"))
            here.processes[service] = _start((service, *words), {**common, **settings, **where}, log)
        for service in SERVICES:
            until(lambda service=service: here.ask(service, "/readyz")[0] == 200)
        yield here


def _start(words: tuple[str, ...], environment: dict[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    line = [sys.executable, "-P", "-m", "ostiary", "serve", *words]
    return subprocess.Popen(line, env=environment, stdout=log, stderr=log)


def _end(processes: "dict[str, subprocess.Popen[bytes]]") -> None:
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    assert [process.wait(30) for process in processes.values()] == [0] * len(processes)
