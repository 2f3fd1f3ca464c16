"""Other frameworks' sign-in libraries beside us: installed into a folder of their own, in the same PostgreSQL.

Each gets as many people as we have, one session and one role each, and one address that asks the same: a living session
and an active person, answered by 204 with id, e-mail address and roles. The files beside this one run in their folder.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ostiary.benchmarks import requests, servers, world
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Command
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

HERE = Path(__file__).parent
GUNICORN = ("gunicorn", "--workers", "1", "--chdir", str(HERE), "--log-level", "error", "--keep-alive", "60")
THREADS = ("--worker-class", "gthread", "--threads", "8")
UVICORN = ("uvicorn", "--app-dir", str(HERE), "--loop", "uvloop", "--http", "httptools", "--no-access-log")


@dataclass(frozen=True)
class Peer:
    """One way to run a peer: its file, the kind of its sessions, and its server."""

    says: str
    file: str
    kind: str
    server: tuple[str, ...]


PEERS = {
    "peer-flask-sync": Peer("Flask-Security-Too, gunicorn sync", "flask_peer", "db", GUNICORN),
    "peer-flask-threads": Peer("Flask-Security-Too, gunicorn, 8 threads", "flask_peer", "db", GUNICORN + THREADS),
    "peer-django-sync": Peer("Django, database sessions, gunicorn sync", "django_peer", "db", GUNICORN),
    "peer-django-threads": Peer("Django, database sessions, 8 threads", "django_peer", "db", GUNICORN + THREADS),
    "peer-django-cached": Peer("Django, cached_db sessions, 8 threads", "django_peer", "cached_db", GUNICORN + THREADS),
    "peer-fastapi-db": Peer("FastAPI-Users, database tokens, uvicorn", "fastapi_peer", "db", UVICORN),
    "peer-fastapi-jwt": Peer("FastAPI-Users, JWT (not revocable), uvicorn", "fastapi_peer", "jwt", UVICORN),
}
NAMES = tuple(PEERS)


@contextlib.contextmanager
def contenders(built: World, terms: Terms) -> Iterator[list[Contender]]:
    """Every peer that is wanted, running. Only `--peers`, or its name, asks for one."""
    wanted = {name: peer for name, peer in PEERS.items() if terms.peers or name in terms.only}
    if not wanted:
        yield []
        return
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ostiary-bench-peers-")))
        install(folder)
        cookies = {file: _seeded(built, folder, file) for file in {peer.file for peer in wanted.values()}}
        yield [
            stack.enter_context(_running(built, folder, (name, peer), cookies[peer.file][peer.kind]))
            for name, peer in wanted.items()
        ]


def install(folder: Path) -> None:
    """The pinned libraries, in a virtual environment; by uv where it is there."""
    python, lock = str(folder / "bin" / "python"), str(HERE / "requirements.lock")
    if shutil.which("uv"):
        _done("uv", "venv", "--quiet", "--python", sys.executable, str(folder))
        _done("uv", "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock)
    else:
        _done(sys.executable, "-m", "venv", str(folder))
        _done(python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", lock)


def _seeded(built: World, folder: Path, file: str) -> dict[str, list[str]]:
    """A database of the peer's own with people in it; their cookies, by the kind of session."""
    world.execute(built.superuser, f"CREATE DATABASE {file}")
    words = (str(folder / "bin" / "python"), str(HERE / f"{file}.py"), str(len(built.people)))
    cookies: dict[str, list[str]] = json.loads(_done(*words, env=_environment(built, file)).splitlines()[-1])
    world.execute(built.cluster.url("postgres", file), "VACUUM ANALYZE")
    return cookies


@contextlib.contextmanager
def _running(built: World, folder: Path, named: tuple[str, Peer], cookies: list[str]) -> Iterator[Contender]:
    name, peer = named
    port = servers.free_port()
    where = ("--bind", f"127.0.0.1:{port}") if peer.server[0] == "gunicorn" else ("--port", str(port))
    words = (str(folder / "bin" / peer.server[0]), *peer.server[1:], *where, f"{peer.file}:app")
    environment = {**_environment(built, peer.file), "PEER_SESSIONS": peer.kind}
    sent = (requests.get(Target(port), "/gate", {"Cookie": cookie}) for cookie in cookies)
    file = requests.keep(built.folder / f"{name}.requests", sent)
    expected = Expected(204, {"remote-email": built.people[0].email, "remote-groups": "end-user"})
    with servers.running(Command(words, environment), port) as server:
        yield Contender(name, peer.says, port, file, expected, (server.pid,))


def _environment(built: World, file: str) -> dict[str, str]:
    return {"PEER_DATABASE_URL": built.cluster.url("postgres", file), "PEER_SECRET": built.secret}


def _done(*words: str, env: Any = None) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=servers.environment(env or {}))
    if done.returncode:
        raise Unmeasured(f"{Path(words[0]).name} {words[1]} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
