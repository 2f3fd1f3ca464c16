"""Thousands of people with living sessions, written as the services would write them, in bulk."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from ostiary.benchmarks.hashing import PASSWORD, hasher
from ostiary_shared import clock, tokens
from ostiary_shared.tokens import Token

HOURS = timedelta(hours=20)
SESSION_COLUMNS = (
    "user_id",
    "token_digest",
    "assurance",
    "methods",
    "created_at",
    "authenticated_at",
    "last_seen_at",
    "expires_at",
    "idle_limit",
    "ip",
    "user_agent",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    id: UUID
    email: str
    token: str


def seed(url: str, session_key: tokens.Key, count: int) -> tuple[Person, ...]:
    """`count` people with the role end-user, all with `PASSWORD`, each signed in once. `url` is the owner's."""
    return asyncio.run(_seed(url, session_key, count))


def more_sessions(url: str, session_key: tokens.Key, people: tuple[Person, ...], count: int) -> list[str]:
    """`count` more sessions, spread over the people; their tokens."""
    minted = [tokens.mint(tokens.SESSION, session_key) for _ in range(count)]
    asyncio.run(_with(url, _sign_in, [person.id for person in people], minted))
    return [token.value for token in minted]


async def _seed(url: str, session_key: tokens.Key, count: int) -> tuple[Person, ...]:
    emails = [f"person{number}@example.test" for number in range(count)]
    minted = [tokens.mint(tokens.SESSION, session_key) for _ in range(count)]
    ids = await _with(url, _add_people, emails)
    await _with(url, _sign_in, ids, minted)
    facts = zip(ids, emails, minted, strict=True)
    return tuple(Person(found, email, token.value) for found, email, token in facts)


async def _with(url: str, act: Any, *facts: Any) -> Any:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            return await act(connection, *facts)
    finally:
        await connection.close()


async def _add_people(connection: Any, emails: list[str]) -> list[UUID]:
    now = clock.now()
    people = [(email, f"Person {number}", now, now) for number, email in enumerate(emails)]
    await connection.copy_records_to_table(
        "users", records=people, columns=("email", "name", "created_at", "confirmed_at")
    )
    await connection.execute(
        "INSERT INTO role_grants (user_id, role_id, reason)"
        " SELECT u.id, r.id, 'a measurement' FROM users u, roles r WHERE r.name = 'end-user' AND u.email = ANY($1)",
        emails,
    )
    hashed = hasher().hash(PASSWORD)
    await connection.execute(
        "INSERT INTO passwords (user_id, hash, adopted_at) SELECT id, $1, now() FROM users WHERE email = ANY($2)",
        hashed,
        emails,
    )
    ids = {row["email"]: row["id"] for row in await connection.fetch("SELECT email, id FROM users")}
    return [ids[email] for email in emails]


async def _sign_in(connection: Any, ids: list[UUID], minted: list[Token]) -> None:
    await connection.copy_records_to_table(
        "sessions", records=_sessions(ids, minted, clock.now()), columns=SESSION_COLUMNS
    )


def _sessions(ids: list[UUID], minted: list[Token], now: datetime) -> Iterator[tuple[Any, ...]]:
    for number, token in enumerate(minted):
        owner = ids[number % len(ids)]
        yield owner, token.digest, 1, ["password"], now, now, now, now + HOURS, HOURS, "192.0.2.7", "bench"
