"""Traefik acted out, since Debian does not have it: reads the shipped files, behaves as its documentation says.

What it does with a request is what Go's HTTP server and Traefik's `headers` and `forwardAuth` do: names in canonical
form, headers that `Connection` names dropped first, X-Forwarded-* of its own, answers other than 2xx handed on.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import yaml

from tests.system.wirings import Wiring

END = b"\r\n\r\n"
HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade")
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]%]*")
TRIPLET = re.compile(r"%(?![0-9A-Fa-f]{2})")

Headers = list[tuple[str, str]]


class BadRequest(Exception):
    """What Go's server answers 400 to."""


@dataclass
class Message:
    """A request or an answer: first line, headers in canonical form, body."""

    line: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    host: str = ""
    uri: str = ""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def drop(self, *names: str) -> None:
        gone = {canonical(name) for name in names}
        self.headers = [(key, value) for key, value in self.headers if key not in gone]

    def put(self, name: str, *values: str) -> None:
        self.drop(name)
        self.headers += [(canonical(name), value) for value in values]

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def path(self) -> str:
        return unquote_to_bytes(self.uri.partition("?")[0]).decode("latin-1")

    def sent(self, line: str) -> bytes:
        given = [*self.headers, *([("Content-Length", str(len(self.body)))] if self.body else [])]
        lines = [line, *(f"{name}: {value}" for name, value in given)]
        return "\r\n".join(lines).encode("latin-1") + END + self.body


def canonical(name: str) -> str:
    """`Remote_User` becomes `Remote_user`: only a hyphen begins a word."""
    return "-".join(word[:1].upper() + word[1:].lower() for word in name.split("-"))


class Lines:
    """Idle connections to the services behind, which are used again."""

    def __init__(self) -> None:
        self.idle: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def exchange(self, port: int, raw: bytes, *, bodiless: bool = False) -> Message:
        for attempt in (1, 2):
            kept = self.idle.setdefault(port, [])
            line = kept.pop() if kept and attempt == 1 else await asyncio.open_connection("127.0.0.1", port)
            line[1].write(raw)
            try:
                answer = await message(line[0], bodiless=bodiless)
                if not answer.line.startswith("HTTP/1."):
                    raise BadRequest
            except (OSError, asyncio.IncompleteReadError, BadRequest):
                line[1].close()
                continue
            if "close" in answer.values("Connection"):
                line[1].close()
            else:
                kept.append(line)
            return answer
        raise OSError("no answer")

    def close(self) -> None:
        for _, writer in (line for kept in self.idle.values() for line in kept):
            writer.close()


async def message(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Message:
    """What is read next; BadRequest where Go's server would not have it."""
    first, *rest = (await reader.readuntil(END)).decode("latin-1")[:-4].split("\r\n")
    read = Message(first)
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.fullmatch(name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise BadRequest
        read.headers.append((canonical(name), value.strip(" \t")))
    coded, lengths = read.values("Transfer-Encoding"), set(read.values("Content-Length"))
    if coded not in ([], ["chunked"]) or len(lengths) > 1 or not all(re.fullmatch(r"[0-9]+", one) for one in lengths):
        raise BadRequest
    if not bodiless:
        read.body = await chunks(reader) if coded else await reader.readexactly(int(next(iter(lengths), "0")))
    read.drop("Content-Length", "Transfer-Encoding")
    return read


async def chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = (await reader.readuntil(b"\r\n"))[:-2]
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
            raise BadRequest
        part = await reader.readexactly(int(size, 16) + 2)
        if size.strip(b"0") == b"":
            return body
        body += part[:-2]


def addressed(request: Message) -> None:
    """Fill in host and address as Go reads them: from the address in absolute form, else from `Host`."""
    parts = request.line.split(" ")
    hosts = request.values("Host")
    if len(parts) != 3 or parts[2] not in {"HTTP/1.1", "HTTP/1.0"} or len(hosts) != 1:
        raise BadRequest
    target, request.host = parts[1], hosts[0]
    if not target.startswith("/"):
        split = urlsplit(target)
        if not split.scheme or not split.netloc:
            raise BadRequest
        request.host = split.netloc
        target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    path, asked, query = target.partition("?")
    if TRIPLET.search(path) or re.search(r"[\x00-\x20\x7f]", target) or not re.fullmatch(r"[\w.:\[\]-]*", request.host):
        raise BadRequest
    if not PLAIN.fullmatch(path):
        path = quote(unquote_to_bytes(path.encode("latin-1")), safe="/$&+,;=:@~")
    request.uri = path + asked + query
    request.drop("Host")


def fits(rule: str, request: Message) -> bool:
    """Whether a router's rule holds: Host and PathRegexp, joined by &&, some of them denied by !."""
    for part in rule.split(" && "):
        found = re.fullmatch(r"(!?)(\w+)\(`(.*)`\)", part)
        assert found, part
        if found[2] == "Host":
            held = re.sub(r":\d+$", "", request.host).rstrip(".").lower() == found[3]
        else:
            assert found[2] == "PathRegexp", part
            held = re.search(found[3], request.path) is not None
        if held is (found[1] == "!"):
            return False
    return True


@dataclass
class Traefik:
    """One entry point with the shipped routers, middlewares and services."""

    http: dict[str, Any]
    ports: dict[str, int]
    lines: Lines = field(default_factory=Lines)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                try:
                    request = await message(reader)
                    addressed(request)
                except BadRequest:
                    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                    break
                last = any("close" in value for value in request.values("Connection"))
                answer = await self.answered(request)
                answer.put("Content-Length", str(len(answer.body)))
                answer.put("Connection", *(["close"] if last else []))
                body, answer.body = answer.body, b""
                writer.write(answer.sent(answer.line) + (body if request.method != "HEAD" else b""))
                await writer.drain()
                if last:
                    break
        writer.close()

    async def answered(self, request: Message) -> Message:
        request.headers = [(name, value) for name, value in request.headers if not forwarded(name)]
        routers = sorted(self.http["routers"].values(), key=lambda router: -len(router["rule"]))
        router = next((router for router in routers if fits(router["rule"], request)), None)
        if router is None:
            return Message("HTTP/1.1 404 Not Found")
        for name in router.get("middlewares", []):
            (kind, settings), *_ = self.http["middlewares"][name].items()
            if kind == "headers":
                request.drop(*settings["customRequestHeaders"])
                assert not any(settings["customRequestHeaders"].values())
            elif refused := await self.asked(settings, request):
                return refused
        return await self.passed(request, self.ports[router["service"]])

    async def asked(self, settings: dict[str, Any], request: Message) -> Message | None:
        """forwardAuth: None to let the request pass."""
        connection(request)
        question = Message("", [pair for pair in request.headers if pair[0] not in HOP])
        known(question, request)
        question.put("X-Forwarded-Method", request.method)
        question.put("X-Forwarded-Uri", request.uri)
        address = urlsplit(settings["address"])
        question.put("Host", address.netloc)
        assert settings["trustForwardHeader"] is False
        try:
            answer = await self.lines.exchange(self.ports["auth"], question.sent(f"GET {address.path} HTTP/1.1"))
        except OSError:
            return Message("HTTP/1.1 500 Internal Server Error")
        answer.drop(*HOP)
        if not answer.line.split(" ")[1].startswith("2"):
            return answer
        for name in settings["authResponseHeaders"]:
            request.put(name, *answer.values(canonical(name)))
        return None

    async def passed(self, request: Message, port: int) -> Message:
        connection(request)
        known(request, request)
        request.put("Host", request.host)
        line, head = f"{request.method} {request.uri} HTTP/1.1", request.method == "HEAD"
        try:
            answer = await self.lines.exchange(port, request.sent(line), bodiless=head)
        except OSError:
            return Message("HTTP/1.1 502 Bad Gateway")
        answer.drop("Connection")
        return answer


def forwarded(name: str) -> bool:
    """What Traefik takes from nobody but the entry point's trusted addresses."""
    return name in {
        f"X-Forwarded-{what}" for what in ["For", "Host", "Port", "Proto", "Server", "Tls-Client-Cert", "Prefix"]
    } | {"X-Real-Ip"}


def connection(request: Message) -> None:
    """Drop what `Connection` names, and keep an upgrade."""
    listed = [word.strip() for value in request.values("Connection") for word in value.split(",")]
    upgrade = request.values("Upgrade") if "upgrade" in [word.lower() for word in listed] else []
    request.drop(*listed, "Connection")
    if upgrade:
        request.put("Connection", "Upgrade")
        request.put("Upgrade", upgrade[0])


def known(told: Message, request: Message) -> None:
    """What Traefik knows itself, in place of whatever stood there."""
    for name, value in (("For", "127.0.0.1"), ("Proto", "http"), ("Host", request.host)):
        told.put(f"X-Forwarded-{name}", value)


@contextlib.asynccontextmanager
async def running(wiring: Wiring) -> AsyncIterator[None]:
    """The entry point, as long as the block runs."""
    names = [("app.example.org", "localhost"), *wiring.addresses]
    http = yaml.safe_load(wiring.written("traefik-sites.yml", names).read_text())["http"]
    ports = {
        name: int(service["loadBalancer"]["servers"][0]["url"].rpartition(":")[2])
        for name, service in http["services"].items()
    }

    entry = Traefik(http, ports)
    server = await asyncio.start_server(entry.serve, "127.0.0.1", wiring.port, limit=2**16)
    try:
        yield
    finally:
        server.close()
        entry.lines.close()
