"""Plain makers of rows: what a test needs, committed."""

from dataclasses import dataclass
from uuid import UUID

from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.store import passwords, roles, sessions, users
from ostiary_shared.store.sessions import Start
from tests.kept import hash_of

PASSWORD = "river lantern otter 42"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who exists, and the session token if one was asked for."""

    id: UUID
    email: str
    token: str = ""

    @property
    def bearer(self) -> dict[str, str]:
        """The header that carries the token."""
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}


async def make_person(
    opened: Sessions,
    tools: AuthTools,
    email: str = "ada@example.test",
    *,
    holds: tuple[str, ...] = ("end-user",),
    confirmed: bool = True,
) -> Person:
    """A person with `PASSWORD`, roles and a living session."""
    now, hashed = clock.now(), await hash_of(tools, PASSWORD)  # first: on a busy machine it takes its time
    async with opened.begin() as session:
        user = await users.add(session, email, email.partition("@")[0].title(), now if confirmed else None)
        assert user is not None
        await passwords.put(session, user.id, hashed, now)
        for name in holds:
            role = await roles.find(session, name)
            assert role is not None
            await roles.grant(session, roles.Grant(user.id, role.id, "for a test"), now)
        token = tokens.mint("os", tools.session_key)
        started = Start(user.id, token.digest, ("password",), 1, tools.lifetime(remember=False), "192.0.2.7", "test")
        await sessions.start(session, started, now)
    return Person(user.id, email, token.value)
