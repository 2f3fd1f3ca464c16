"""The same question put to the app alone, to the quick door before it, and to the fast listener; answers made alike."""

import asyncio
import base64
import contextlib
import json
import re
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quart import Quart

from ostiary.serving import bind_gate
from ostiary_auth.app import create_app
from ostiary_auth.fast.answers import Answer, written
from ostiary_auth.fast.asgi import QuickDoor, put_to
from ostiary_auth.fast.ask import Headers
from ostiary_auth.fast.whole import Whole
from ostiary_auth.settings import AuthSettings

PROXY, STRANGER = "127.0.0.1", "203.0.113.9"
WAIT_SECONDS = 10
_CODES = re.compile(rb'("reference":"|/denied/)[^"]*')


@dataclass(frozen=True)
class Doors:
    """The app without memory, and one with it and its listener."""

    slow: Quart
    quick: Quart
    place: str

    @property
    def door(self) -> QuickDoor:
        found = self.quick.asgi_app
        assert isinstance(found, QuickDoor)
        return found

    @property
    def whole(self) -> Whole:
        found = self.quick.extensions["ostiary-at-once"].__self__
        assert isinstance(found, Whole)
        return found

    async def by_app(self, path: bytes, headers: Headers, peer: str = PROXY) -> Answer:
        return await put_to(self.slow.asgi_app, scope(path, headers, peer))

    async def by_quick_door(self, path: bytes, headers: Headers, peer: str = PROXY) -> Answer:
        return await put_to(self.door, scope(path, headers, peer))

    async def by_listener(self, path: bytes, headers: Headers) -> Answer:
        lines = [b"GET %b HTTP/1.1" % path, *(b"%b: %b" % header for header in headers), b"", b""]
        async with asyncio.timeout(WAIT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(self.place)
            try:
                writer.write(b"\r\n".join(lines))
                return await told(reader)
            finally:
                writer.close()


async def told(reader: asyncio.StreamReader) -> Answer:
    """One response from the wire."""
    head = (await reader.readuntil(b"\r\n\r\n")).rstrip(b"\r\n").split(b"\r\n")
    pairs = [line.partition(b": ")[::2] for line in head[1:]]
    headers = [(name.lower(), value) for name, value in pairs]
    body = await reader.readexactly(int(dict(headers)[b"content-length"]))
    return written(int(head[0].split(b" ")[1]), headers, body)


@contextlib.asynccontextmanager
async def opened(settings: AuthSettings) -> AsyncIterator[Doors]:
    """Both apps on one database."""
    with tempfile.TemporaryDirectory(prefix="ostiary-gate-") as folder:
        place = str(Path(folder, "gate.sock"))
        gate = bind_gate(f"unix:{place}")
        slow = create_app(settings.model_copy(update={"memory_sessions": 0}))
        quick = create_app(settings.model_copy(update={"memory_sessions": 1000}), gate)
        async with slow.test_app(), quick.test_app():
            doors = Doors(slow, quick, place)
            await has_lease(doors)
            yield doors


async def has_lease(doors: Doors) -> None:
    """Wait until memory may be relied on."""
    async with asyncio.timeout(WAIT_SECONDS):
        while doors.door._keeper.memory.lease_until < time.monotonic():  # noqa: ASYNC110 - a time is all there is
            await asyncio.sleep(0.01)


def scope(path: bytes, headers: Headers, peer: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": (peer, 1),
        "server": ("login.example.test", 80),
        "extensions": {},
    }


def comparable(answer: Answer) -> tuple[int, list[tuple[bytes, object]], bytes]:
    """An answer without what is different each time: codes of refusals, and when an assertion was made."""
    headers: list[tuple[bytes, object]] = []
    for name, value in sorted(answer.headers):
        match name:
            case b"x-ostiary-assertion" if value:
                payload = value.split(b".")[1]
                claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
                assert claims["exp"] - claims["iat"] == 60
                headers.append(
                    (name, sorted((key, str(said)) for key, said in claims.items() if key not in {"iat", "exp"}))
                )
            case b"x-ostiary-reference" | b"content-length":
                headers.append((name, bool(value)))
            case _:
                headers.append((name, _CODES.sub(rb"\1CODE", value)))
    return answer.status, headers, _CODES.sub(rb"\1CODE", answer.body)
