"""What we need is away, silent or slow: whoever asks is told so soon, nobody is let in, and all mends itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from ostiary import serving
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared import database as shared_database
from ostiary_shared import statements
from ostiary_shared.database import Sessions
from ostiary_shared.revocation import LEASE
from tests.conftest import AUTH_SECRET, Databases
from tests.make import PASSWORD, make_person
from tests.system.front import Front, before

PATIENCE = 30.0  # for whoever waits in a test: whatever takes longer hangs
GATE = {
    "X-Forwarded-Method": "GET",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "app.example.test",
    "X-Forwarded-Uri": "/",
    "X-Forwarded-For": "192.0.2.1",
}


@dataclass
class House:
    """Auth on a database behind a front."""

    url: str
    front: Front
    http: aiohttp.ClientSession
    token: str

    async def status(self, path: str, *, token: str = "", method: str = "GET", **more: object) -> tuple[int, str]:
        """The status of an answer, and its Retry-After."""
        headers = {**GATE, **({"Authorization": f"Bearer {token}"} if token else {})}
        async with self.http.request(method, self.url + path, headers=headers, allow_redirects=False, **more) as got:  # type: ignore[arg-type]
            await got.read()
            return got.status, got.headers.get("Retry-After", "")

    async def kind(self, path: str, accept: str) -> tuple[int, str]:
        """The status of an answer, and what it is."""
        headers = {**GATE, "Authorization": f"Bearer {self.token}", "Accept": accept}
        async with self.http.get(self.url + path, headers=headers, allow_redirects=False) as got:
            return got.status, got.content_type

    async def all_at_once(self) -> list[tuple[int, str]]:
        """What needs the database, asked at all doors, by more than there are connections for."""
        body = {"email": "ada@example.test", "password": PASSWORD}
        asked = [
            *(self.status("/api/v1/session", token=self.token) for _ in range(20)),
            *(self.status("/gate", token=self.token) for _ in range(20)),
            *(self.status("/account", token=self.token) for _ in range(20)),
            *(self.status("/api/v1/login", method="POST", json=body) for _ in range(20)),
        ]
        return await asyncio.gather(*asked)

    async def until(self, path: str, status: int, token: str = "") -> None:
        """Ask until this is the answer."""
        await until(lambda: self._is(path, status, token))

    async def _is(self, path: str, status: int, token: str) -> bool:
        return (await self.status(path, token=token))[0] == status


async def until(so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await so():  # noqa: ASYNC110 - what is asked for is in another process
            await asyncio.sleep(0.05)


@pytest.fixture
async def house(
    database: Databases, sessions: Sessions, tools: AuthTools, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """What is waited for is shorter than it is in truth, for the test's sake."""
    monkeypatch.setitem(shared_database.PATIENCE, "command_timeout", 1.0)
    monkeypatch.setattr(statements, "STATEMENT_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(statements, "CONNECT_TIMEOUT", 1.0)
    ada = await make_person(sessions, tools, "ada@example.test", holds=("end-user",))
    async with before(database.auth) as front:
        url = front.url("ostiary_auth", urlsplit(database.auth).path.strip("/"), "?sslmode=disable")
        listener = serving.bind(0, "a port")
        port = listener.getsockname()[1]
        settings = AuthSettings.load(
            {
                "OSTIARY_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "OSTIARY_DATABASE_URL": url,
                "OSTIARY_SECRET_KEY": AUTH_SECRET,
                "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
                "OSTIARY_MAIL_FROM": "door@example.test",
                "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
            }
        )
        app = create_auth(settings)
        async with (
            serving.lifespan(app),
            serving.serving(serving.Site(app, listener)),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http,
        ):
            found = House(f"http://127.0.0.1:{port}", front, http, ada.token)
            await found.until("/api/v1/session", 200, ada.token)
            yield found


async def stuck(database: Databases) -> int:
    """Transactions that nobody ends, and connections beyond what the pools may have."""
    connection = await asyncpg.connect(database.superuser)
    try:
        idle = "SELECT count(*) FROM pg_stat_activity WHERE state ~ 'idle in' AND application_name ~ '^ostiary'"
        return int(await connection.fetchval(idle))
    finally:
        await connection.close()


@pytest.mark.parametrize("how", ["gone", "silent"])
async def test_without_a_database_every_door_says_so_soon_and_recovers_by_itself(
    how: str, house: House, database: Databases
) -> None:
    there = house.front.behind
    if how == "gone":
        house.front.behind = "/nowhere"
        house.front.hang_up()
    else:
        house.front.swallows = True
    await asyncio.sleep(LEASE)  # for so long it may still answer from memory
    began = time.monotonic()
    answers = await house.all_at_once()
    waited = time.monotonic() - began
    print(f"{how}: {len(answers)} answers within {waited:.2f} s")
    assert {status for status, _ in answers} == {503}
    assert {int(retry) for _, retry in answers} <= {1, 2}
    for path in ("/gate", "/account"):
        assert await house.kind(path, "text/html") == (503, "text/html")
    for path in ("/gate", "/gate/nginx", "/api/v1/session"):
        assert await house.kind(path, "application/json") == (503, "application/problem+json")
    assert (await house.status("/healthz"))[0] == 200
    assert (await house.status("/readyz"))[0] == 503
    house.front.behind, house.front.swallows = there, False
    house.front.hang_up()  # what was silent for long is broken for good
    await house.until("/readyz", 200)
    await house.until("/api/v1/session", 200, house.token)
    await house.until("/account", 200, house.token)
    await until(lambda: _none_is_stuck(database))


async def _none_is_stuck(database: Databases) -> bool:
    return await stuck(database) == 0
