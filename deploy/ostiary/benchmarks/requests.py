"""The requests of a measurement, as bytes: built once, read by whichever load generator sends them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = b"\0"


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: a port of this machine, and the host they name."""

    port: int
    host: str = "localhost"


def get(target: Target, path: str, headers: Mapping[str, str]) -> bytes:
    """One GET request that leaves the connection open."""
    return _head("GET", target, path, headers)


def post(target: Target, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """One POST request with a JSON body."""
    more = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return _head("POST", target, path, {**headers, **more}) + body


def keep(path: Path, requests: Iterable[bytes]) -> Path:
    """Write requests to a file, to be sent in turn, from the beginning again after the last."""
    path.write_bytes(b"".join(request + SEPARATOR for request in requests))
    return path


def kept(path: Path) -> list[bytes]:
    """The requests of a file."""
    return path.read_bytes().split(SEPARATOR)[:-1]


def _head(method: str, target: Target, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {target.host}",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
