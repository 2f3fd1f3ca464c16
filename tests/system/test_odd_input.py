"""Large and strange requests at the real services: always an answer below 500, and memory stays where it was."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import psutil

from tests.system.conftest import Site

MIB = 1024 * 1024
GROWTH = 20 * MIB
HEAD = "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.{number}\r\n{more}\r\n"
JSON, FORM = "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"
OURS = "Origin: {url}\r\nSec-Fetch-Site: same-origin\r\n"


async def sent(site: Site, method: str, path: str, more: str, *pieces: bytes, number: int = 7) -> int:
    """The status of a raw request."""
    more += OURS.format(url=site.url.replace("127.0.0.1", "localhost"))
    port = int(site.url.rpartition(":")[2])
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MIB)
        with contextlib.suppress(ConnectionError):
            writer.write(HEAD.format(method=method, path=path, number=number, more=more).encode("latin-1"))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        line = b""
        with contextlib.suppress(ConnectionError):
            line = await reader.readline()
        writer.transport.abort()
    return int(line.split(b" ")[1]) if line else 0


def length(body: bytes) -> str:
    return f"Content-Length: {len(body)}\r\n"


@contextlib.asynccontextmanager
async def flat() -> AsyncIterator[None]:
    """This process, which serves, must not have grown by much afterwards."""
    before = psutil.Process().memory_info().rss
    yield
    grown = psutil.Process().memory_info().rss - before
    print(f"grown by {grown / MIB:.1f} MiB")
    assert grown < GROWTH


DOORS = ("/login", "/signup", "/api/v1/login", "/api/v1/signup", "/nowhere", "/admin/api/v1/users", "/gate")


async def test_a_body_of_a_hundred_megabytes_is_refused_and_not_kept(site: Site) -> None:
    for path in DOORS:
        await sent(site, "POST", path, JSON + length(b"{}"), b"{}")
    piece = b"x" * 256 * 1024
    chunk = b"40000\r\n" + piece + b"\r\n"
    async with flat():
        for path in DOORS:
            kind = FORM if path in {"/login", "/signup"} else JSON
            told = await sent(site, "POST", path, kind + f"Content-Length: {400 * len(piece)}\r\n", *([piece] * 400))
            assert told in {0, 401, 403, 404, 405, 413}, path  # 0: it hung up before we had finished
        for path in ("/api/v1/login", "/login"):
            chunked = await sent(site, "POST", path, FORM + "Transfer-Encoding: chunked\r\n", *([chunk] * 400))
            assert chunked in {0, 413, 415}


async def test_a_body_just_too_large_is_told_so(site: Site) -> None:
    body = json.dumps({"email": "a@example.test", "password": "p" * 70_000}).encode()
    assert await sent(site, "POST", "/api/v1/login", JSON + length(body), body) == 413
    form = b"email=a%40example.test&password=" + b"p" * 70_000
    assert await sent(site, "POST", "/login", FORM + length(form), form) == 413


STRANGE_JSON = {
    "deep": b"[" * 60_000,
    "deep objects": b'{"email":' * 6_000,
    "a deep value": b'{"email": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a long number": b'{"email": ' + b"9" * 60_000 + b"}",
    "a huge number": b'{"a": 1e999999}',
    "many fields": b"{" + b",".join(b'"f%d": 1' % number for number in range(5_000)) + b"}",
    "half a character": b'{"email": "\\ud800", "password": "\\u0000"}',
    "NaN": b'{"email": NaN}',
    "no UTF-8": b"\xff\xfe{}",
    "null": b"null",
    "nothing": b"",
}
STRANGE_FORMS = {
    "many fields": b"&".join(b"f%d=1" % number for number in range(6_000)),
    "one field often": b"email=a&" * 7_000,
    "percent": b"%" * 60_000,
    "nothing, often": b"=&" * 30_000,
    "no UTF-8": b"email=%00%ff&password=%ed%a0%80",
}


async def test_strange_bodies_are_a_clear_no(site: Site) -> None:
    """Each from a network of its own, so that no limit answers instead."""
    number = 0
    async with flat():
        for kind, bodies, paths in (
            (JSON, STRANGE_JSON, ("/api/v1/login", "/api/v1/signup")),
            (FORM, STRANGE_FORMS, ("/login", "/signup")),
        ):
            for name, body in bodies.items():
                for path in paths:
                    number += 1
                    told = await sent(site, "POST", path, kind + length(body), body, number=number)
                    assert told in {400, 413, 422}, (name, path)


async def test_a_form_of_many_parts_is_a_clear_no(site: Site) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n'
    body = b"".join(part % number for number in range(1_100)) + b"--b--\r\n"
    more = "Content-Type: multipart/form-data; boundary=b\r\n" + length(body)
    assert await sent(site, "POST", "/login", more, body) in {400, 413, 415, 422}


async def test_other_methods_are_not_known(site: Site) -> None:
    for method in ("TRACE", "CONNECT", "PROPFIND", "DELETE", "PUT", "BREW", "PRI"):
        for path in ("/login", "/api/v1/login", "/account", "/admin/users", "/assets/base.css", "/"):
            assert await sent(site, method, path, "") in {400, 404, 405}, (method, path)


async def test_no_answer_says_what_serves_it(site: Site) -> None:
    for path in ("/login", "/nowhere", "/healthz", "/gate", "/api/v1/session", "/admin/users", "/openapi.json"):
        answer = await site.ask("GET", path)
        names = {name.lower() for name in answer.headers}
        assert not names & {"server", "x-powered-by", "via"}, path
        assert not {"quart", "uvicorn", "python", "werkzeug"} & set(answer.text[:3000].lower().split()), path
