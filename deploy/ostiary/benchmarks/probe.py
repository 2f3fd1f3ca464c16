"""One request at a time, byte by byte, to see that the right server answers what is about to be measured."""

import contextlib
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.generator import complete

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str


def ask(port: int, request: bytes) -> Answer:
    """Send one request to a port of this machine. Raises OSError when nobody answers."""
    with connected(port) as connection:
        return asked(connection, request)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection that is used for one request after the other."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        yield connection


def asked(connection: socket.socket, request: bytes) -> Answer:
    """The answer to one request on a connection that stays open."""
    connection.sendall(request)
    got = b""
    while not complete(got):
        more = connection.recv(65536)
        if not more:
            raise ConnectionResetError
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Answer(int(lines[0][9:12]), headers, body.decode("utf-8", "replace"))


def lap(port: int, requests: Iterable[bytes], seconds: float) -> None:
    """Send each of these once, for so long at the most; whatever comes back, and nothing if nobody answers."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(OSError), connected(port) as connection:
        for request in requests:
            if time.monotonic() > deadline:
                return
            asked(connection, request)


def until_there(port: int, what: str, seconds: float = 5.0) -> None:
    """Wait until something listens on a port."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with connected(port):
                return
        except OSError:
            if time.monotonic() > deadline:
                message = f"{what} does not listen"
                raise Unmeasured(message) from None
            time.sleep(0.05)
