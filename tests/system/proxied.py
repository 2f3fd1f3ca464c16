"""A real nginx or Caddy with the shipped configuration, in front of the real auth service and a candid backend."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "deploy" / "proxy"
START_SECONDS = 10
ANSWER_SECONDS = 10
END = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What came back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


@dataclass(frozen=True)
class Seen:
    """A request as the backend got it: raw, nothing decoded."""

    line: str
    headers: list[tuple[str, str]]

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    def named(self, name: str) -> list[str]:
        """All values under a name, in every spelling that a backend may take for it."""
        return [value for key, value in self.headers if key.lower().replace("_", "-").replace(".", "-") == name.lower()]


@dataclass
class Backend:
    """The protected app: answers 200 and remembers what reached it."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(END)).decode("latin-1")
                lines = head.rstrip("\r\n").split("\r\n")
                headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
                seen = Seen(lines[0], headers)
                length = sum(int(value) for value in seen.named("Content-Length"))
                await reader.readexactly(length)
                self.seen.append(seen)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nbackend")
                await writer.drain()
        writer.close()


@dataclass
class Proxied:
    """A site behind a proxy, spoken to byte by byte."""

    kind: str
    port: int
    public_url: str
    backend: Backend

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    async def ask(self, target: str, headers: list[tuple[str, str]] | None = None, method: str = "GET") -> Answer:
        """One request with exactly this target and these headers."""
        given = [
            *(headers or []),
            *([("Host", self.host)] if "host" not in {k.lower() for k, _ in headers or []} else []),
        ]
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given)]
        if not any(name.lower() == "connection" for name, _ in given):
            lines.append("Connection: close")
        return await self.send("\r\n".join(lines).encode("utf-8") + END)

    async def send(self, raw: bytes) -> Answer:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(raw)
                head = (await reader.readuntil(END)).decode("latin-1").rstrip("\r\n").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
            finally:
                writer.close()
        return Answer(int(head[0].split(" ")[1]), headers, body)

    def problem(self, answer: Answer) -> dict[str, object]:
        assert answer.headers["content-type"].startswith("application/problem+json"), answer
        found: dict[str, object] = json.loads(answer.body)
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def missing(kind: str) -> bool:
    """Whether to skip: the proxy is not installed, and the run does not insist on it."""
    return shutil.which(kind) is None and "proxy" not in os.environ.get("OSTIARY_REQUIRE", "")


@contextlib.asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    """The protected app on a port of its own."""
    app = Backend()
    server = await asyncio.start_server(app.serve, "127.0.0.1", 0, limit=2**17)
    app.port = server.sockets[0].getsockname()[1]
    try:
        yield app
    finally:
        server.close()


@contextlib.asynccontextmanager
async def proxy(kind: str, app: Backend, auth_port: int, admin_port: int = 0) -> AsyncIterator[Proxied]:
    """The proxy with the shipped configuration; only names, ports and the places of files are ours."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ostiary-proxy-") as folder:
        place = Path(folder)
        command = COMMANDS[kind](place, port, app.port, auth_port, admin_port)
        with (place / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder},
            )
        try:
            await _listening(port, process, place / "log")
            yield Proxied(kind, port, f"http://localhost:{auth_port}", app)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _nginx(place: Path, port: int, app_port: int, auth_port: int, admin_port: int = 0) -> list[str]:
    paths = "".join(
        f"{kind}_temp_path {place}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (SHIPPED / "nginx.conf").read_text()
    for shipped, ours in (
        ("http {", f"http {{ access_log off; {paths}"),
        ("127.0.0.1:8000", f"127.0.0.1:{auth_port}"),
        ("127.0.0.1:8001", f"127.0.0.1:{admin_port or auth_port}"),
        ("127.0.0.1:9000", f"127.0.0.1:{app_port}"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("server_name app.example.org;", "server_name localhost;"),
        ('"app.example.org"', f'"localhost:{port}"'),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    (place / "nginx.conf").write_text(text)
    user = "user root; " if os.geteuid() == 0 else ""
    globals_ = f"daemon off; {user}worker_processes 1; pid {place}/pid; error_log stderr;"
    return ["nginx", "-p", str(place), "-c", str(place / "nginx.conf"), "-e", "stderr", "-g", globals_]


def _caddy(place: Path, port: int, app_port: int, auth_port: int, admin_port: int = 0) -> list[str]:
    text = (SHIPPED / "Caddyfile").read_text()
    for shipped, ours in (
        ("127.0.0.1:8000", f"127.0.0.1:{auth_port}"),
        ("127.0.0.1:8001", f"127.0.0.1:{admin_port or auth_port}"),
        ("127.0.0.1:9000", f"127.0.0.1:{app_port}"),
        ("app.example.org {", f"http://localhost:{port} {{"),
        ("login.example.org {", f"http://login.example.org:{port} {{"),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    options = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n"
    (place / "Caddyfile").write_text(options + text)
    return ["caddy", "run", "--config", str(place / "Caddyfile"), "--adapter", "caddyfile"]


COMMANDS = {"nginx": _nginx, "caddy": _caddy}


async def _listening(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until the proxy takes connections; fails with what it said."""
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        process.kill()
    raise AssertionError(f"the proxy did not start: {await asyncio.to_thread(log.read_text)}")
