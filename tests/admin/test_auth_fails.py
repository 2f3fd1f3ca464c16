"""Whatever auth does but answer: the console says that it cannot check who you are, opens nothing, and comes back."""

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from quart.typing import TestClientProtocol as Browser

from ostiary import authority
from ostiary_admin.app import create_app
from ostiary_admin.settings import AdminSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared import tls
from ostiary_shared.database import Sessions
from ostiary_shared.errors import Misconfigured
from ostiary_shared.settings import SettingsError
from tests.conftest import ADMIN_SECRET, Databases
from tests.make import make_person

SAYS_YES = {
    "user": {"id": "", "email": "eve@example.test", "name": "Eve", "roles": ["admin"], "permissions": []},
    "session": {
        "id": "018f0000-0000-7000-8000-000000000000",
        "assurance": 2,
        "methods": ["password"],
        "created_at": "2026-01-01T00:00:00+00:00",
        "authenticated_at": "2026-01-01T00:00:00+00:00",
        "expires_at": "2036-01-01T00:00:00+00:00",
    },
}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
PAGES = ("/admin/users", "/admin/api/v1/users", "/admin/roles")


@dataclass
class Stub:
    """What stands where auth should."""

    port: int = 0
    answers: bytes = b""
    slowly: bool = False
    asked: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                for piece in self._pieces():
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.2 if self.slowly else 0)
                if not self.answers:
                    await asyncio.sleep(10)
        writer.transport.abort()

    def _pieces(self) -> list[bytes]:
        return [self.answers[i : i + 1] for i in range(len(self.answers))] if self.slowly else [self.answers]


def said(body: object, head: bytes = HEAD) -> bytes:
    raw = json.dumps(body).encode()
    return head % len(raw) + raw


def admin_settings(database: Databases, auth_url: str, **more: str) -> AdminSettings:
    return AdminSettings.load(
        {
            "OSTIARY_PUBLIC_URL": "http://localhost",
            "OSTIARY_DATABASE_URL": database.admin,
            "OSTIARY_SECRET_KEY": ADMIN_SECRET,
            "OSTIARY_AUTH_URL": auth_url,
            **more,
        }
    )


@contextlib.asynccontextmanager
async def standing(stub: Stub, shown: ssl.SSLContext | None = None) -> AsyncIterator[Stub]:
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=shown)
    stub.port = server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()


@contextlib.asynccontextmanager
async def console(settings: AdminSettings) -> AsyncIterator[Browser]:
    async with create_app(settings).test_app() as running:
        yield running.test_client()


async def stays_shut(browser: Browser, token: str) -> None:
    headers, began = {"Authorization": f"Bearer {token}", "Accept": "text/html"}, time.monotonic()
    answers = await asyncio.gather(*(browser.get(page, headers=headers) for page in PAGES))
    print(f"{len(answers)} refusals after {time.monotonic() - began:.2f} s")
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "cannot check who you are" in await answer.get_data(as_text=True)


@pytest.fixture
async def token(sessions: Sessions, tools: AuthTools) -> str:
    return (await make_person(sessions, tools, "root@example.test", holds=("admin",))).token


@pytest.mark.parametrize(
    "stub",
    [
        Stub(),
        Stub(answers=said(SAYS_YES), slowly=True),
        Stub(answers=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Stub(answers=b"HTTP/1.1 204 No Content\r\n\r\n"),
        Stub(answers=said(SAYS_YES, b"HTTP/1.1 500 Oh\r\nContent-Length: %d\r\n\r\n")),
        Stub(answers=said([])),
        Stub(answers=said({"user": None})),
        Stub(answers=said({**SAYS_YES, "session": None})),
        Stub(answers=b"\x15\x03\x01 who are you"),
        Stub(answers=b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["silent", "dripping", "empty", "204", "500", "list", "nobody", "no session", "garbage", "redirect"],
)
async def test_no_strange_answer_opens_the_console(stub: Stub, database: Databases, token: str) -> None:
    async with standing(stub), console(admin_settings(database, f"http://127.0.0.1:{stub.port}")) as browser:
        await stays_shut(browser, token)
        assert stub.asked
        assert (await browser.get("/admin/healthz")).status_code == 200


def shown_by(folder: Path, name: str, host: str) -> ssl.SSLContext:
    ours = authority.opened(folder)
    authority.settled(ours, name, [host])
    context = tls.shown(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    assert context
    return context


@pytest.mark.parametrize(
    ("shows", "trusts"),
    [("right", "ours"), ("wrong host", "ours"), ("wrong CA", "another"), ("plain", "ours"), ("right", "system")],
)
async def test_admin_believes_auth_by_its_certificate_alone(
    shows: str, trusts: str, database: Databases, token: str, tmp_path: Path
) -> None:
    shown = shown_by(tmp_path / "ours", "auth", "127.0.0.1" if shows != "wrong host" else "auth.example.test")
    authority.opened(tmp_path / "another")
    more = {} if trusts == "system" else {"OSTIARY_AUTH_CA_FILE": str(tmp_path / trusts / "ca.pem")}
    stub = Stub(answers=b'HTTP/1.1 401 No\r\nContent-Length: 20\r\n\r\n{"reference": "ABC"}')
    async with standing(stub, None if shows == "plain" else shown):
        settings = admin_settings(database, f"https://127.0.0.1:{stub.port}", **more)
        async with console(settings) as browser:
            if (shows, trusts) == ("right", "ours"):
                answer = await browser.get("/admin/api/v1/users", headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == 401
                assert stub.asked
            else:
                await stays_shut(browser, token)
                assert not stub.asked


def _no_ca(folder: Path) -> Path:
    (folder / "empty.pem").write_text("nothing")
    return folder / "empty.pem"


@pytest.mark.parametrize("file", [lambda folder: folder / "missing.pem", _no_ca])
def test_a_ca_that_cannot_be_used_stops_the_start(
    file: Callable[[Path], Path], databases: Databases, tmp_path: Path
) -> None:
    settings = admin_settings(databases, "https://auth", OSTIARY_AUTH_CA_FILE=str(file(tmp_path)))
    with pytest.raises(Misconfigured, match=r"OSTIARY_AUTH_CA_FILE names .*pem, which cannot be used"):
        create_app(settings)


def test_a_ca_for_a_plain_address_is_a_mistake(databases: Databases) -> None:
    with pytest.raises(SettingsError, match="OSTIARY_AUTH_URL must begin with https://"):
        admin_settings(databases, "http://auth", OSTIARY_AUTH_CA_FILE="/ca.pem")
