"""The console with a stand-in for auth: who is signed in is what the test says, and auth can be away, slow or mad."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from quart import Quart, Response
from quart.typing import TestClientProtocol

from ostiary_admin import auth_client
from ostiary_admin.app import create_app
from ostiary_admin.auth_client import Explained
from ostiary_admin.settings import AdminSettings
from ostiary_admin.tools import AdminWork, make_tools
from ostiary_client.session import AuthUnavailable, Person, Refused, Session, SessionAnswer, SignedIn
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.store import roles, users
from ostiary_shared.work import Caller, open_work

ADMIN_SECRET = "admin-8c2e4a6f0b1d3957c8e0a2b4d6f81937"
PUBLIC_URL = "http://localhost"


@dataclass
class StandIn:
    """Plays auth: knows tokens, keeps the passwords it was given, explains the codes it was told."""

    people: dict[str, UUID] = field(default_factory=dict)
    passwords: dict[UUID, str] = field(default_factory=dict)
    denials: dict[str, Explained] = field(default_factory=dict)
    fault: Exception | None = None
    asked: int = 0

    def sign_in(self, user_id: UUID) -> dict[str, str]:
        """The headers of somebody who is signed in."""
        token = tokens.mint("os", tokens.Key((b"key",))).value
        self.people[token] = user_id
        return {"Authorization": f"Bearer {token}"}

    async def fetch(self, _http: Any, _url: str, token: str | None) -> SessionAnswer:
        """What `ostiary_client.fetch_session` does."""
        self.asked += 1
        if self.fault:
            raise AuthUnavailable("told to be away") from self.fault
        if token not in self.people:
            return Refused("s-sealed")
        now, who = clock.now(), self.people[token]
        session = Session(UUID(int=7), 1, ("password",), now, now, now + timedelta(hours=1))
        # What auth says of roles is not what decides: the console reads them anew.
        return SignedIn(Person(who, "", "", (), frozenset()), session)

    async def set_password(self, token: str, user_id: UUID, password: str) -> None:
        """What AuthClient.set_password does."""
        assert token in self.people
        self.passwords[user_id] = password

    async def denial(self, token: str, code: str) -> Explained | None:
        """What AuthClient.denial does."""
        assert token in self.people
        return self.denials.get(code)


@dataclass(frozen=True)
class Console:
    """The running console, its stand-in for auth, and ways to make people."""

    app: Quart
    client: TestClientProtocol
    auth: StandIn
    rows: Sessions

    async def person(self, email: str, *held: str, confirmed: bool = True, name: str = "") -> UUID:
        """Somebody with these roles for good."""
        return await add_person(self.rows, email, *held, confirmed=confirmed, name=name)

    async def open(self, path: str, method: str, headers: dict[str, str]) -> Response:
        """A request without a body."""
        answer: Response = await getattr(self.client, method.lower())(path, headers=headers)
        return answer

    async def enter(self, *held: str, email: str = "") -> dict[str, str]:
        """Headers of somebody new with these roles, signed in."""
        user_id = await self.person(email or f"{'-'.join(held) or 'nobody'}@example.test", *held)
        return self.auth.sign_in(user_id)


async def add_person(rows: Sessions, email: str, *held: str, confirmed: bool = True, name: str = "") -> UUID:
    """Somebody with these roles for good, written with the rights of auth."""
    now = clock.now()
    async with rows.begin() as session:
        user = await users.add(session, email, name, now if confirmed else None)
        assert user is not None
        for each in held:
            role = await roles.find(session, each)
            assert role is not None
            await roles.grant(session, roles.Grant(user.id, role.id, "for a test"), now)
        return user.id


@pytest.fixture
def admin_settings(databases: Any) -> AdminSettings:
    """The console's settings in tests; nobody listens at the address of auth."""
    return AdminSettings.load(
        {
            "OSTIARY_PUBLIC_URL": PUBLIC_URL,
            "OSTIARY_DATABASE_URL": databases.admin,
            "OSTIARY_SECRET_KEY": ADMIN_SECRET,
            "OSTIARY_AUTH_URL": "http://127.0.0.1:1",
        }
    )


@pytest.fixture
async def console(
    sessions: Sessions, admin_settings: AdminSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Console]:
    """The console, served to a test client."""
    stand_in = StandIn()
    monkeypatch.setattr(auth_client, "fetch_session", stand_in.fetch)
    app = create_app(admin_settings)
    line = app.extensions["ostiary"].tools.auth
    monkeypatch.setattr(line, "set_password", stand_in.set_password)
    monkeypatch.setattr(line, "denial", stand_in.denial)
    async with app.test_app() as running:
        yield Console(app, running.test_client(), stand_in, sessions)


@dataclass(frozen=True)
class Desk:
    """Opens units of work with the rights of the admin service, on behalf of somebody."""

    rows: Sessions
    sessions: Sessions
    settings: AdminSettings

    @contextlib.asynccontextmanager
    async def acting(self, user_id: UUID) -> AsyncIterator[AdminWork]:
        """A unit of work of this person."""
        caller = Caller(ip="192.0.2.9", user_agent="test", user_id=user_id, email=f"{user_id}@acting.test")
        async with open_work(self.sessions, tools=make_tools(self.settings), caller=caller) as work:
            yield work

    async def person(self, email: str, *held: str, confirmed: bool = True) -> UUID:
        """Somebody with these roles for good."""
        return await add_person(self.rows, email, *held, confirmed=confirmed)


@pytest.fixture
def desk(sessions: Sessions, admin_sessions: Sessions, admin_settings: AdminSettings) -> Desk:
    """Flows and queries as the admin service runs them."""
    return Desk(sessions, admin_sessions, admin_settings)
