"""A real proxy with the shipped configuration, in front of the real auth service and a candid backend."""

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

from tests.system import traefik, wirings
from tests.system.wirings import Wiring

# Each with its program. Debian does not have Traefik: where none is on the PATH its behaviour is acted out.
KINDS = (*wirings.COMMANDS, "traefik")
COMMANDS = wirings.COMMANDS | ({"traefik": wirings.traefik} if shutil.which("traefik") else {})
START_SECONDS = 10
ANSWER_SECONDS = 10
END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nbackend"


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
    lines: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(END)).decode("latin-1")
                lines = head.rstrip("\r\n").split("\r\n")
                headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
                seen = Seen(lines[0], headers)
                await _body_read(reader, seen)
                self.seen.append(seen)
                writer.write(ANSWER if not seen.line.startswith("HEAD ") else ANSWER.removesuffix(b"backend"))
                await writer.drain()
        writer.close()
        self.lines.discard(writer)


async def _body_read(reader: asyncio.StreamReader, seen: Seen) -> None:
    """Read past the body, in chunks where it comes in chunks (RFC 9112, 6.3: they outweigh a length)."""
    if not seen.named("Transfer-Encoding"):
        await reader.readexactly(sum(int(value) for value in seen.named("Content-Length")))
        return
    while int(size := (await reader.readuntil(b"\r\n")), 16):
        await reader.readexactly(int(size, 16) + 2)
    while line := (await reader.readuntil(b"\r\n")).decode("latin-1").strip():
        name, _, value = line.partition(":")
        seen.headers.append((name, value.strip()))  # no header, but uvicorn's apps read it like one


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
    if kind not in COMMANDS or "proxy" in os.environ.get("OSTIARY_REQUIRE", ""):
        return False
    return shutil.which(kind) is None


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
        for writer in app.lines:
            writer.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def proxy(kind: str, app: Backend, auth_port: int, admin_port: int = 0, gate: str = "") -> AsyncIterator[Proxied]:
    """The proxy, configured as shipped. `gate` is the path of the fast listener's socket, where that is to be asked."""
    with tempfile.TemporaryDirectory(prefix="ostiary-proxy-") as folder:
        wiring = Wiring(Path(folder), free_port(), app.port, auth_port, admin_port, gate)
        running = program(kind, wiring) if kind in COMMANDS else traefik.running(wiring)
        async with running:
            yield Proxied(kind, wiring.port, f"http://localhost:{auth_port}", app)


@contextlib.asynccontextmanager
async def program(kind: str, wiring: Wiring) -> AsyncIterator[None]:
    """The real proxy, until the block is left."""
    place = str(wiring.place)
    with (wiring.place / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMANDS[kind](wiring),
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": place, "XDG_DATA_HOME": place, "XDG_CONFIG_HOME": place},
        )
    try:
        await _listening(wiring.port, process, wiring.place / "log")
        if kind == "traefik":  # it listens before it knows its routes, and does not say when it does
            await asyncio.sleep(1.5)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


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
