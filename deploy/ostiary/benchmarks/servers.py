"""Servers as processes of their own: auth as `./ostiary serve auth` runs it, and nginx with a configuration of ours."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ostiary.benchmarks import machine, probe, requests
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.world import World

START_SECONDS, STOP_SECONDS = 30.0, 10.0
LAST_WORDS = 400
UVICORN = ("uvicorn", "--factory", "ostiary.benchmarks.plain:app", "--no-access-log", "--no-proxy-headers")
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr; {user}
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; sendfile on; open_file_cache max=100; {temporary}
    {inside}
}}
"""


@dataclass(frozen=True)
class Command:
    """A program, what it is told by the environment, and the core it stays on."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    core: int | None = 0


@dataclass(frozen=True)
class Auth:
    """How an auth server is started: `gate` is where its fast listener listens, more settings as OSTIARY_*.

    `plain`: by uvicorn's own command, which knows nothing but ASGI.
    """

    gate: str = ""
    plain: bool = False
    core: int | None = 0
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A process that serves a port."""

    pid: int
    port: int


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Our own environment with more in it; what it says to an Ostiary that is really run is left out."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")} | dict(more)


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        port: int = probed.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: Command, port: int) -> Iterator[Server]:
    """Run a server while the block runs; it is there when it listens."""
    with tempfile.TemporaryFile() as log:
        with machine.on_core(command.core):
            process = subprocess.Popen(
                command.words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(command.environment),
            )
        try:
            if not _listens(process, port):
                raise Unmeasured(f"{Path(command.words[0]).name} did not start: {_last_words(log)}")
            yield Server(process.pid, port)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def auth(world: World, wanted: Auth) -> Iterator[Server]:
    """An auth server of this world."""
    port = free_port()
    told = {
        "OSTIARY_PUBLIC_URL": f"http://localhost:{port}",
        "OSTIARY_DATABASE_URL": world.auth,
        "OSTIARY_SECRET_KEY": world.secret,
        "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <ostiary@localhost>",
        "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
        "OSTIARY_LOG_LEVEL": "warning",
        "OSTIARY_GATE_LISTEN": wanted.gate,
        **wanted.settings,
    }
    words = UVICORN if wanted.plain else ("ostiary", "serve", "auth")
    with running(Command((sys.executable, "-m", *words, "--port", str(port)), told, wanted.core), port) as server:
        _answers(port)
        yield server


@contextlib.contextmanager
def nginx(inside: str, port: int, core: int | None = 0) -> Iterator[Server]:
    """An nginx with one worker and these lines in its `http` block."""
    if shutil.which("nginx") is None:
        raise Unmeasured("nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="ostiary-bench-nginx-") as folder:
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi"))
        temporary += f" uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;"
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, user=user, temporary=temporary, inside=inside))
        words = ("nginx", "-p", folder, "-e", "stderr", "-c", str(configuration))
        with running(Command(words, {}, core), port) as server:
            yield server


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether a server takes connections, waited for."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), probe.connected(port):
            return True
        time.sleep(0.05)
    return False


def _answers(port: int) -> None:
    """Wait until auth has opened everything: its port takes connections before that."""
    question, deadline = requests.get(Target(port), "/readyz", {}), time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if probe.ask(port, question).status == 200:
                return
        time.sleep(0.05)
    raise Unmeasured("auth does not become ready")


def _last_words(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_WORDS))
    return (log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
