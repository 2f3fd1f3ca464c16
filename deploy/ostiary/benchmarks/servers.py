"""Servers as processes of their own: auth as `./ostiary serve auth` runs it, and nginx with a configuration of ours."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ostiary.benchmarks import machine, probe
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.world import World

STOP_SECONDS = 10.0
LAST_WORDS = 400
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
    """How an auth server is started: `gate` is where its fast listener listens, more settings as OSTIARY_*."""

    gate: str = ""
    core: int | None = 0
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A process that serves a port."""

    pid: int
    port: int


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
                env={**os.environ, **command.environment},
            )
        try:
            _wait(process, port, command.words[-1])
            yield Server(process.pid, port)
        except Unmeasured as error:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_WORDS))
            raise Unmeasured(f"{error}: {log.read().decode(errors='replace').strip()}") from None
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
    environment = {
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
    words = (sys.executable, "-m", "ostiary", "serve", "auth", "--port", str(port))
    with running(Command(words, environment, wanted.core), port) as server:
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


def _wait(process: "subprocess.Popen[bytes]", port: int, what: str) -> None:
    for _ in range(60):
        with contextlib.suppress(Unmeasured):
            return probe.until_there(port, what, 0.5)
        if process.poll() is not None:
            break
    raise Unmeasured(f"{what} did not start")
