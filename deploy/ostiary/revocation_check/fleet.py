"""The replicas: auth servers with several workers each, and the console, as `./ostiary serve` runs them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import aiohttp

from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.servers import environment, free_port

START_SECONDS, STOP_SECONDS = 30.0, 10.0
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
SKEW = "+300s"
CAN_SKEW = FAKETIME.exists()


@dataclass(frozen=True, slots=True)
class Place:
    """The databases, and the secret of auth."""

    auth: str
    admin: str
    owner: str
    superuser: str
    secret: str


@dataclass(slots=True, eq=False)
class Replica:
    """A server that can be killed and started again at the same ports."""

    name: str
    words: tuple[str, ...]
    settings: Mapping[str, str]
    port: int
    gate: int
    log: IO[bytes]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where people and the console come in."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, in a group of processes of its own."""
        self.process = subprocess.Popen(
            self.words,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env=environment(self.settings),
            start_new_session=True,
        )

    def workers(self) -> list[int]:
        """The processes that answer."""
        if self.process is None:
            return []
        with contextlib.suppress(OSError):
            found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
            return [int(pid) for pid in found.split()] or [self.process.pid]
        return [self.process.pid]

    def kill(self) -> None:
        """End it by kill -9, workers and all."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """End it orderly, and if it will not, for certain."""
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.kill()


@dataclass(slots=True)
class Fleet:
    """All that runs."""

    auths: list[Replica] = field(default_factory=list)
    admin: Replica | None = None
    skewed: bool = False


@contextlib.asynccontextmanager
async def sailing(place: Place, folder: Path, workers: int) -> AsyncIterator[Fleet]:
    """Two auth servers of so many workers, one with a wrong clock if libfaketime is here, and the console."""
    fleet = Fleet(skewed=CAN_SKEW)
    with contextlib.ExitStack() as stack:
        for name in ("one", "two"):
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            wrong = name == "two" and fleet.skewed
            fleet.auths.append(_auth(place, name, workers, log, _SKEWED if wrong else {}))
        fleet.admin = _admin(place, fleet.auths[0], stack.enter_context((folder / "admin.log").open("wb")))
        try:
            for replica in (*fleet.auths, fleet.admin):
                replica.start()
            for replica in fleet.auths:
                await ready(replica, "/readyz")
            await ready(fleet.admin, "/admin/readyz")
            yield fleet
        finally:
            for replica in (*fleet.auths, fleet.admin):
                replica.stop()


async def ready(replica: Replica, path: str) -> None:
    """Wait until it says that it is ready. Raises Unmeasured when it never does."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(replica.url + path) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)
    raise Unmeasured(f"{replica.name} did not start; {replica.log.name} says why")


# The monotonic clock stays right: that is what asyncio and leases count by, as on a machine whose date is wrong.
_SKEWED = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": SKEW, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}


def _auth(place: Place, name: str, workers: int, log: IO[bytes], more: Mapping[str, str]) -> Replica:
    port, gate = free_port(), free_port()
    settings = {
        **_common(place.auth, place.secret),
        "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <ostiary@localhost>",
        "OSTIARY_GATE_LISTEN": f"127.0.0.1:{gate}",
        "OSTIARY_WORKERS": str(workers),
        **more,
    }
    return Replica(name, _words("auth", port), settings, port, gate, log)


def _admin(place: Place, auth: Replica, log: IO[bytes]) -> Replica:
    port = free_port()
    settings = {**_common(place.admin, place.secret + "-admin"), "OSTIARY_AUTH_URL": auth.url}
    return Replica("admin", _words("admin", port), settings, port, 0, log)


def _common(url: str, secret: str) -> dict[str, str]:
    return {
        "OSTIARY_PUBLIC_URL": "http://localhost",
        "OSTIARY_DATABASE_URL": url,
        "OSTIARY_SECRET_KEY": secret,
        "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
        "OSTIARY_LOG_LEVEL": "warning",
    }


def _words(service: str, port: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "ostiary", "serve", service, "--port", str(port))
