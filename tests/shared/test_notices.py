"""What the database tells by itself, whoever changes a row and however: by hand, too."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID

import asyncpg
import pytest

from ostiary_shared.revocation import CHANNEL
from tests.conftest import Databases

SESSION = """
    INSERT INTO sessions (user_id, token_digest, methods, assurance, created_at, authenticated_at, last_seen_at,
                          expires_at, idle_limit, user_agent)
    VALUES ($1, $2, '{password}', 1, now(), now(), now(), now() + interval '1 day', '1 hour', '')
"""


class Owner:
    """Somebody at psql, who hears what is told."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.told: list[str] = []

    async def person(self, email: str) -> UUID:
        """Somebody with a living session, whose digest is that of their address."""
        add = "INSERT INTO users (email, name, confirmed_at, locked_reason) VALUES ($1, 'A', now(), '') RETURNING id"
        found: UUID = await self.connection.fetchval(add, email)
        await self.connection.execute(SESSION, found, digest(email))
        return found

    async def does(self, statement: str, *values: object) -> set[str]:
        """What is told of one statement."""
        self.told.clear()
        await self.connection.execute(statement, *values)
        await asyncio.sleep(0)
        await self.connection.execute("SELECT 1")
        return set(self.told)


def digest(email: str) -> bytes:
    return sha256(email.encode()).digest()


def forget(*emails: str) -> set[str]:
    return {f"s {digest(email)[:16].hex()}" for email in emails}


@pytest.fixture
async def owner(database: Databases) -> AsyncIterator[Owner]:
    connection = await asyncpg.connect(database.owner)
    found = Owner(connection)
    await connection.add_listener(CHANNEL, lambda *heard: found.told.append(heard[-1]))
    yield found
    await connection.close()


async def test_a_living_session_that_is_deleted_by_hand_is_gone_and_told(owner: Owner) -> None:
    await owner.person("ada@example.test")
    assert await owner.does("DELETE FROM sessions") == forget("ada@example.test")
    assert await owner.connection.fetchval("SELECT count(*) FROM sessions") == 0


async def test_the_sessions_of_a_person_who_is_deleted_by_hand_go_with_them(owner: Owner) -> None:
    person = await owner.person("ada@example.test")
    assert await owner.does("DELETE FROM users WHERE id = $1", person) == forget("ada@example.test")
    assert await owner.connection.fetchval("SELECT count(*) FROM sessions") == 0


async def test_a_grant_that_is_given_to_somebody_else_is_told_of_both(owner: Owner) -> None:
    one, other = await owner.person("ada@example.test"), await owner.person("bo@example.test")
    grant = "INSERT INTO role_grants (user_id, role_id, reason) SELECT $1, id, '' FROM roles WHERE name = 'auditor'"
    assert await owner.does(grant, one) == forget("ada@example.test")
    moved = await owner.does("UPDATE role_grants SET user_id = $1", other)
    assert moved == forget("ada@example.test", "bo@example.test")
    assert await owner.does("DELETE FROM role_grants") == forget("bo@example.test")
