"""While strangers flood the port with what never becomes a request, the gate answers everybody, and rightly."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator

from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import HOST, add_guest, add_site
from tests.system.conftest import Site

QUESTIONS = 90
FLOOD = 150
DRIPS = (
    b"",
    b"GET /gate HTTP/1.1\r\nX-Drip: ",
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2,
)


async def stranger(port: int, number: int, stop: asyncio.Event) -> None:
    """Connects, says something odd, drips, and comes again when it is sent away."""
    first = DRIPS[number % len(DRIPS)]
    while not stop.is_set():
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            try:
                writer.write(first)
                for _ in range(10):
                    if stop.is_set() or writer.transport.is_closing():
                        break
                    if first:
                        writer.write(b"x")
                    await asyncio.sleep(0.5)
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def flooded(port: int) -> AsyncIterator[None]:
    stop = asyncio.Event()
    strangers = [asyncio.create_task(stranger(port, number, stop)) for number in range(FLOOD)]
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*strangers)


async def p99(site: Site, token: str) -> float:
    """Seconds that all but one in a hundred questions take at the most; each is answered as it should be."""
    took = []
    asked = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": HOST,
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Uri": "/wiki",
    }
    for number in range(QUESTIONS):
        known = number % 3 > 0
        headers = {**asked, "Cookie": f"ostiary={token}"} if known else asked
        began = time.monotonic()
        answer = await site.ask("GET", "/gate/nginx", headers=headers)
        took.append(time.monotonic() - began)
        assert answer.status == (200 if known else 401)
        told = {name.lower(): value for name, value in answer.headers.items()}
        assert told.get("remote-email", "") == ("bo@example.test" if known else "")
    return statistics.quantiles(took, n=100)[98]


async def test_the_gate_answers_rightly_while_strangers_flood_the_port(
    site: Site, sessions: Sessions, admin_sessions: Sessions
) -> None:
    await add_site(admin_sessions)
    guest = await add_guest(sessions, "bo@example.test", "end-user")
    calm = await p99(site, guest.token)
    async with flooded(int(site.url.rpartition(":")[2])):
        flood = await p99(site, guest.token)
    print(f"p99 calm {1000 * calm:.1f} ms, in a flood of {FLOOD} connections {1000 * flood:.1f} ms")
    assert (await site.ask("GET", "/readyz")).status == 200
