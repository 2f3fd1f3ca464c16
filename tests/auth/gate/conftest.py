"""A site with rules, people who want in, and a proxy that asks for them."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from quart import Quart, Response

from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule, User
from ostiary_shared.store import roles, sites, users
from ostiary_shared.store import sessions as session_rows
from ostiary_shared.tokens import derive
from tests.conftest import AUTH_SECRET

PROXY = "127.0.0.1"
HOST = "wiki.example.test"
SESSION_KEY = derive((AUTH_SECRET,), "session")
LIFETIME = session_rows.Lifetime(timedelta(hours=24), timedelta(hours=1))

Ask = Callable[..., Coroutine[Any, Any, Response]]


@dataclass(frozen=True)
class Guest:
    """Somebody with a session."""

    user: User
    token: str

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"ostiary={self.token}"}


async def add_guest(sessions: Sessions, email: str, *held: str, name: str = "Bo Böhm") -> Guest:
    """A confirmed person, signed in."""
    now = clock.now()
    token = tokens.mint("os", SESSION_KEY)
    async with sessions.begin() as session:
        user = await users.add(session, email, name, now)
        assert user is not None
        for role_name in held:
            role = await roles.find(session, role_name) or await roles.add(session, role_name, "", frozenset())
            assert role is not None
            await roles.grant(session, roles.Grant(user.id, role.id, "test"), now)
        start = session_rows.Start(user.id, token.digest, ("password",), 1, LIFETIME, "192.0.2.7", "test")
        await session_rows.start(session, start, now)
    return Guest(user, token.value)


async def add_site(admin_sessions: Sessions, host: str = HOST) -> Site:
    """An intranet: open at /public, for editors at /editor/, readable at /feed, else for everybody signed in."""
    async with admin_sessions.begin() as session:
        site = Site(name="Intranet", host=host)
        session.add(site)
        await session.flush()
        await sites.replace_rules(
            session,
            site.id,
            [
                SiteRule(path_prefix="/public", methods=[], asks="anyone", value=""),
                SiteRule(path_prefix="/editor/", methods=[], asks="role", value="editor"),
                SiteRule(path_prefix="/feed", methods=["GET"], asks="anyone", value=""),
                SiteRule(path_prefix="/audit", methods=[], asks="permission", value="audit:read"),
                SiteRule(path_prefix="/wiki", methods=[], asks="signed_in", value=""),
            ],
        )
    return site


@pytest.fixture
async def site(admin_sessions: Sessions) -> Site:
    """The intranet."""
    return await add_site(admin_sessions)


@pytest.fixture
async def bo(sessions: Sessions) -> Guest:
    """An ordinary person."""
    return await add_guest(sessions, "bo@example.test", "end-user")


@pytest.fixture
async def ed(sessions: Sessions) -> Guest:
    """An editor."""
    return await add_guest(sessions, "ed@example.test", "editor", "end-user", name="Ed")


@pytest.fixture
async def app(database: object, auth_settings: AuthSettings) -> AsyncIterator[Quart]:
    """The auth service behind a proxy on 127.0.0.1."""
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network(PROXY),)})
    app = create_app(settings)
    async with app.test_app():
        yield app


@pytest.fixture
def ask(app: Quart) -> Ask:
    """Ask the gate as a proxy does: `await ask("/wiki", headers, door="/gate/nginx")`."""

    async def asking(uri: str, headers: dict[str, str] | None = None, **how: Any) -> Response:
        peer, method = how.pop("peer", PROXY), how.pop("method", "GET")
        told = {
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": HOST,
            "X-Forwarded-Uri": uri,
            "X-Forwarded-For": "192.0.2.7",
            **(headers or {}),
        }
        client = app.test_client(use_cookies=False)
        sent = {name: value for name, value in told.items() if value is not None}
        return await client.open(how.pop("door", "/gate"), headers=sent, scope_base={"client": (peer, 1)}, **how)

    return asking
