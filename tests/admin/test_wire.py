"""The wire to auth as it is: the real auth service behind real HTTP, asked by the real client."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from quart.typing import TestClientProtocol as Browser
from sqlalchemy import select

from ostiary_admin.app import create_app
from ostiary_admin.settings import AdminSettings
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared.database import Sessions
from ostiary_shared.models import AuditEvent, Password
from tests.make import PASSWORD, make_person

PAGE = {"Accept": "text/html"}


class Quiet(uvicorn.Server):
    """A server that leaves the test run's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class RealAuth:
    """Auth on a port of this machine; may be stopped and started again."""

    settings: AuthSettings
    port: int = 0
    running: list[tuple[Quiet, asyncio.Task[None]]] = field(default_factory=list)

    async def start(self) -> None:
        """Serve, on the port it had before if there was one."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        app = create_auth(self.settings)
        server = Quiet(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110 - a flag is all uvicorn has
            await asyncio.sleep(0.01)
        self.running.append((server, task))

    async def stop(self) -> None:
        """Stop serving."""
        while self.running:
            server, task = self.running.pop()
            server.should_exit = True
            await task


@pytest.fixture
async def real_auth(sessions: Sessions, auth_settings: AuthSettings) -> AsyncIterator[RealAuth]:
    running = RealAuth(auth_settings)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def browser(real_auth: RealAuth, admin_settings: AdminSettings) -> AsyncIterator[Browser]:
    """A browser at the console."""
    url = f"http://127.0.0.1:{real_auth.port}"
    async with create_app(admin_settings.model_copy(update={"auth_url": url})).test_app() as running:
        yield running.test_client()


async def test_a_session_of_auth_opens_the_console_and_its_end_closes_it(
    browser: Browser, sessions: Sessions, tools: AuthTools
) -> None:
    ada = await make_person(sessions, tools, holds=("admin",))
    browser.set_cookie("localhost", "ostiary", ada.token)
    shown = await browser.get("/admin/users", headers=PAGE)
    assert shown.status_code == 200
    assert "ada@example.test" in await shown.get_data(as_text=True)
    ended = await browser.post(f"/admin/users/{ada.id}/sessions/end", headers={"Origin": "http://localhost"}, form={})
    assert ended.status_code == 303
    gone = await browser.get("/admin/users", headers=PAGE)
    assert gone.status_code == 303
    assert gone.headers["Location"].startswith("/login?next=")
    assert "Set-Cookie" not in shown.headers


async def test_a_refused_programs_reference_is_explained_by_auth(
    browser: Browser, sessions: Sessions, tools: AuthTools
) -> None:
    ada = await make_person(sessions, tools, holds=("admin",))
    low = await make_person(sessions, tools, "low@example.test")
    stranger = await (await browser.get("/admin/api/v1/users")).get_json()
    forged = await (
        await browser.get("/admin/api/v1/users", headers={"Authorization": f"Bearer os_{'a' * 55}"})
    ).get_json()
    known = await (await browser.get("/admin/api/v1/users", headers=low.bearer)).get_json()
    assert stranger["reference"].startswith("s-")
    assert forged["reference"].startswith("s-")
    for body, who in ((stranger, None), (forged, None), (known, str(low.id))):
        told = await browser.get(f"/admin/api/v1/denials/{body['reference']}", headers=ada.bearer)
        found = await told.get_json()
        assert told.status_code == 200, found
        assert found["user_id"] == who
        assert any(not step["passed"] for step in found["steps"])
        page = await browser.get(f"/admin/denials/{body['reference']}", headers={**ada.bearer, **PAGE})
        assert page.status_code == 200
    assert (await browser.get("/admin/api/v1/denials/ABCD-EFGH", headers=ada.bearer)).status_code == 404


async def test_a_password_goes_to_auth_which_hashes_judges_and_writes_it_down(
    browser: Browser, sessions: Sessions, tools: AuthTools
) -> None:
    ada = await make_person(sessions, tools, holds=("admin",))
    bob = await make_person(sessions, tools, "bob@example.test")
    where = f"/admin/users/{bob.id}/edit"
    form = {"email": "bob@example.test", "name": "Bob"}
    weak = await browser.post(where, headers=ada.bearer, form={**form, "password": "short"})
    assert weak.status_code == 422
    assert 'id="f-password-error"' in await weak.get_data(as_text=True)
    good = await browser.post(where, headers=ada.bearer, form={**form, "password": "copper kettle meadow 77"})
    assert good.status_code == 303
    noted = await (await browser.get(good.headers["Location"], headers={**ada.bearer, **PAGE})).get_data(as_text=True)
    assert re.search(r"Saved\. In force everywhere after \d+ ms\.", noted)
    async with sessions() as session:
        hashed = await session.scalar(
            select(Password.hash).where(Password.user_id == bob.id, Password.adopted_at.is_not(None))
        )
        events = list(await session.scalars(select(AuditEvent.event).where(AuditEvent.target_id == bob.id)))
        actor = await session.scalar(select(AuditEvent.actor).where(AuditEvent.event == "admin:password:set"))
    assert (await tools.passwords.verify(hashed, "copper kettle meadow 77")).right
    assert not (await tools.passwords.verify(hashed, PASSWORD)).right
    assert events.count("admin:password:set") == 1
    assert actor == "ada@example.test"
    assert (await browser.get("/admin/users", headers=bob.bearer)).status_code in {303, 401}


async def test_nobody_sets_the_password_of_somebody_above(
    browser: Browser, sessions: Sessions, tools: AuthTools
) -> None:
    ada = await make_person(sessions, tools, holds=("admin",))
    async with sessions.begin() as session:
        from ostiary_shared.store import roles

        await roles.add(session, "setter", "", frozenset({"users:read", "users:update", "users:set-password"}))
    low = await make_person(sessions, tools, "low@example.test", holds=("setter",))
    answer = await browser.patch(
        f"/admin/api/v1/users/{ada.id}", headers=low.bearer, json={"password": "copper kettle meadow 77"}
    )
    assert answer.status_code == 403
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", (await answer.get_json())["reference"])


async def test_auth_away_closes_the_console_and_its_return_opens_it(
    browser: Browser, real_auth: RealAuth, sessions: Sessions, tools: AuthTools
) -> None:
    ada = await make_person(sessions, tools, holds=("admin",))
    headers = {**ada.bearer, **PAGE}
    assert (await browser.get("/admin/users", headers=headers)).status_code == 200
    await real_auth.stop()
    away = await browser.get("/admin/users", headers=headers)
    assert away.status_code == 503
    assert "cannot check who you are" in await away.get_data(as_text=True)
    await real_auth.start()
    assert (await browser.get("/admin/users", headers=headers)).status_code == 200
