"""The four apps of docs/examples as processes of their own, behind a real proxy and the real gate, and without them."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from ostiary import serving
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from tests.auth.gate.conftest import add_guest
from tests.conftest import AUTH_SECRET, Databases
from tests.system.proxied import Backend, free_port, missing, proxy

pytestmark = pytest.mark.proxy
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
START_SECONDS = 20
UVICORN = ("-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "{port}")
COMMANDS = {
    "flask": ("-m", "flask", "--app", str(EXAMPLES / "flask_app.py"), "run", "--port", "{port}"),
    "quart": (*UVICORN, "quart_app:app"),
    "fastapi": (*UVICORN, "fastapi_app:app"),
    "django": (str(EXAMPLES / "django_app.py"), "runserver", "--noreload", "127.0.0.1:{port}"),
}
PROXIES = {"flask": "nginx", "quart": "caddy", "fastapi": "nginx", "django": "caddy"}
FORGED = {
    "Remote-User": "root",
    "Remote-Groups": "editor",
    "Remote_Groups": "editor",
    "X-Ostiary-Assertion": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290Iiwicm9sZXMiOlsiZWRpdG9yIl19.",
}
PATHS = ("/", "/me", "/editor", "/nowhere")


@dataclass
class Running:
    """An example, by the way that visitors take and by the one round the gate."""

    public: str
    direct: str
    http: aiohttp.ClientSession

    async def ask(self, url: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
        async with self.http.get(url, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.content_type, await answer.text()

    async def statuses(self, base: str, headers: dict[str, str] | None = None) -> dict[str, int]:
        return {path: (await self.ask(base + path, headers))[0] for path in PATHS}


@pytest.fixture(params=COMMANDS)
async def example(
    request: pytest.FixtureRequest, database: Databases, admin_sessions: Sessions
) -> AsyncIterator[Running]:
    kind = PROXIES[request.param]
    if missing(kind):
        pytest.skip(f"{kind} is not installed")
    door = serving.bind(0, "a port")
    auth_port, app_port = door.getsockname()[1], free_port()
    app = create_app(AuthSettings.load({
        "OSTIARY_PUBLIC_URL": f"http://localhost:{auth_port}", "OSTIARY_DATABASE_URL": database.auth,
        "OSTIARY_SECRET_KEY": AUTH_SECRET, "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>", "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
    }))  # fmt: skip
    async with (
        serving.lifespan(app),
        serving.serving(serving.Site(app, door)),
        proxy(kind, Backend(app_port), auth_port) as site,
        started(COMMANDS[request.param], app_port, ISSUER=site.public_url, AUDIENCE=site.host),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        async with admin_sessions.begin() as session:
            row = Site(name="Example", host=site.host)
            session.add(row)
            await session.flush()
            # The gate tells who it is and lets everybody through: what follows is the app's own doing.
            session.add(SiteRule(site_id=row.id, position=0, path_prefix="/", methods=[], asks="anyone", value=""))
        yield Running(f"http://{site.host}", f"http://127.0.0.1:{app_port}", http)


@contextlib.asynccontextmanager
async def started(command: tuple[str, ...], port: int, **environment: str) -> AsyncIterator[None]:
    """The example, from when it answers until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(word.format(port=port) for word in command),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                assert process.returncode is None, "the example did not start"
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_people_who_come_through_the_gate_are_known(example: Running, sessions: Sessions) -> None:
    ed = await add_guest(sessions, "ed@example.test", "editor", name="Ed Ödön")
    bo = await add_guest(sessions, "bo@example.test", "end-user")
    assert (await example.ask(example.public + "/", ed.cookie))[2] == "Hello Ed Ödön."
    assert "ed@example.test" in (await example.ask(example.public + "/me", ed.cookie))[2]
    assert (await example.ask(example.public + "/editor", ed.cookie))[2] == "The red pencil is yours."
    assert await example.statuses(example.public, bo.cookie) == {"/": 200, "/me": 200, "/editor": 403, "/nowhere": 404}
    assert (await example.ask(example.public + "/editor", bo.cookie))[1] == "application/problem+json"
    # What the client says beside its session makes no difference.
    assert await example.statuses(example.public, bo.cookie | FORGED) == {
        "/": 200, "/me": 200, "/editor": 403, "/nowhere": 404,
    }  # fmt: skip


async def test_strangers_are_nobody_whatever_they_say(example: Running) -> None:
    for base in (example.public, example.direct):
        for headers in ({}, FORGED):
            assert await example.statuses(base, headers) == {"/": 200, "/me": 401, "/editor": 401, "/nowhere": 401}
            assert (await example.ask(base + "/", headers))[2] == "Hello, whoever you are."
            assert (await example.ask(base + "/me", headers))[1] == "application/problem+json"
    assert (await example.ask(example.direct + "/healthz"))[0] == 200


async def test_a_session_is_worth_nothing_round_the_gate(example: Running, sessions: Sessions) -> None:
    ed = await add_guest(sessions, "ed@example.test", "editor", name="Ed Ödön")
    assert (await example.ask(example.direct + "/editor", ed.cookie))[0] == 401
    bearer = {"Authorization": f"Bearer {ed.token}"}
    assert (await example.ask(example.direct + "/editor", bearer))[0] == 401


def test_an_example_fits_on_a_page() -> None:
    for kind in COMMANDS:
        assert len((EXAMPLES / f"{kind}_app.py").read_text().splitlines()) <= 60
