"""Both services, the courier and a mailbox on one port of this machine, as `up` runs them, on the test database."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from ostiary import mails, serving
from ostiary_admin.app import create_app as create_admin
from ostiary_admin.settings import AdminSettings
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.mail import courier
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared.database import Sessions
from tests.conftest import ADMIN_SECRET, AUTH_SECRET, Databases
from tests.make import Person, make_person

MAIL_SECONDS = 15


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str
    json: Any = None


@dataclass
class Site:
    """A running Ostiary, spoken to over real HTTP."""

    url: str
    sessions: Sessions
    tools: AuthTools
    box: mails.Mailbox
    http: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        """One request, redirects not followed."""
        headers = {**self.headers, **more.pop("headers", {})}
        async with self.http.request(method, self.url + path, headers=headers, allow_redirects=False, **more) as got:
            text = await got.text()
            body = await got.json(content_type=None) if "json" in got.content_type else None
            return Answer(got.status, dict(got.headers), text, body)

    async def person(self, email: str, *holds: str) -> Person:
        """Somebody with these roles, signed in."""
        return await make_person(self.sessions, self.tools, email, holds=holds or ("end-user",))

    async def mail_to(self, email: str, link: str = "/") -> mails.Mail:
        """The newest mail to an address with a link to `link`, waited for."""
        async with asyncio.timeout(MAIL_SECONDS):
            while True:
                for mail in self.box.mails:  # the newest first
                    if email in str(mail.to) and link in mail.text:
                        return mail
                await asyncio.sleep(0.05)


def token_in(mail: mails.Mail) -> str:
    """The one-time token of the link in a mail."""
    found = re.search(r"token=([\w-]+)", mail.text)
    assert found, mail.text
    return found[1]


@pytest.fixture
async def site(database: Databases, sessions: Sessions, tools: AuthTools) -> AsyncIterator[Site]:
    """Everything, running."""
    door, smtp = serving.bind(0, "a port"), serving.bind(0, "a port")
    url = f"http://localhost:{door.getsockname()[1]}"
    common = {"OSTIARY_PUBLIC_URL": url, "OSTIARY_TRUSTED_PROXIES": "127.0.0.1"}
    auth_settings = AuthSettings.load(
        {
            **common,
            "OSTIARY_DATABASE_URL": database.auth,
            "OSTIARY_SECRET_KEY": AUTH_SECRET,
            "OSTIARY_SMTP_URL": f"smtp://127.0.0.1:{smtp.getsockname()[1]}",
            "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
        }
    )
    admin_settings = AdminSettings.load(
        {
            **common,
            "OSTIARY_DATABASE_URL": database.admin,
            "OSTIARY_SECRET_KEY": ADMIN_SECRET,
            "OSTIARY_AUTH_URL": url.replace("localhost", "127.0.0.1"),
        }
    )
    auth, admin = create_auth(auth_settings), create_admin(admin_settings)
    box = mails.Mailbox()
    async with (
        mails.catching(box, smtp),
        serving.lifespan(auth),
        serving.lifespan(admin),
        _courier(auth_settings),
        serving.serving(serving.Site(serving.either("/admin", admin, auth), door)),
        aiohttp.ClientSession() as http,
    ):
        yield Site(url.replace("localhost", "127.0.0.1"), sessions, tools, box, http)


@contextlib.asynccontextmanager
async def _courier(settings: AuthSettings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(courier.run(settings, stop))
    yield
    stop.set()
    await asyncio.wait_for(running, 10)
