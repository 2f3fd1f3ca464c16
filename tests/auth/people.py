"""People, and what is mailed to them, for the tests of the auth service."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from ostiary_auth.flows.login import Attempt
from ostiary_auth.flows.one_time import Proof, code_scope
from ostiary_auth.flows.origin import Origin
from ostiary_auth.tools import AuthTools, AuthWork, Desk
from ostiary_shared import tokens
from ostiary_shared.identity import Identity
from ostiary_shared.models import User
from ostiary_shared.store import one_time_tokens, passwords, roles, users
from ostiary_shared.store.one_time_tokens import Issue, Purpose
from tests.kept import hash_of

ADA = "ada@example.test"
PASSWORD = "quiet harbour lamp 77"
OTHER = "seven green bicycles sing"
WRONG = "not at all the right one"

HERE = Origin("192.0.2.7")
ELSEWHERE = Origin("198.51.100.9")


async def hashed(tools: AuthTools, password: str = PASSWORD) -> str:
    """The hash of a password, made once a run."""
    return await hash_of(tools, password)


async def person(
    desk: Desk, email: str = ADA, password: str | None = PASSWORD, *, confirmed: bool = True, role: str = ""
) -> User:
    """Somebody with an account."""
    async with desk.begin() as work:
        user = await users.add(work.session, email, "Ada", confirmed_at=work.now if confirmed else None)
        assert user is not None
        if password:
            await passwords.put(work.session, user.id, await hashed(desk.tools, password), work.now)
        found = await roles.find(work.session, role) if role else None
        if found:
            await roles.grant(work.session, roles.Grant(user.id, found.id, "a test"), work.now)
        return user


@dataclass(frozen=True)
class Mailed:
    """What the courier would have put into a mail."""

    user_id: UUID | None
    email: str = ADA
    subject: dict[str, str] = field(default_factory=dict)


async def mail(work: AuthWork, purpose: Purpose, to: Mailed) -> tuple[Proof, Proof]:
    """A link and its typed twin, as the courier issues them."""
    token, code = tokens.mint("ot"), tokens.code()
    digest = tokens.code_digests(code, code_scope(purpose, to.email), work.tools.code_key)[0]
    await one_time_tokens.issue(
        work.session, Issue(purpose, token.digest, digest, to.user_id, to.email, to.subject), work.now
    )
    return Proof(token.value), Proof("", to.email, code)


async def sent(desk: Desk, purpose: Purpose, to: Mailed) -> tuple[Proof, Proof]:
    """The same in a work of its own."""
    async with desk.begin() as work:
        return await mail(work, purpose, to)


async def rows(desk: Desk, statement: str, **values: Any) -> list[Any]:
    """What the database holds."""
    async with desk.begin() as work:
        return list((await work.session.execute(text(statement), values)).all())


async def count(desk: Desk, table: str) -> int:
    """How many rows a table has."""
    found: int = (await rows(desk, f"SELECT count(*) FROM {table}"))[0][0]
    return found


async def tables(desk: Desk) -> dict[str, int]:
    """The sizes of all tables that a request might write to."""
    names = ("users", "passwords", "sessions", "messages", "one_time_tokens", "audit_events", "role_grants", "counters")
    return {name: await count(desk, name) for name in names}


async def identity(desk: Desk, email: str = ADA, password: str = PASSWORD) -> Identity:
    """Somebody signed in."""
    from ostiary_auth.flows import login

    entered = await login.sign_in(desk, Attempt(email, password))
    assert isinstance(entered, login.SignedIn), entered
    return entered.started.identity
