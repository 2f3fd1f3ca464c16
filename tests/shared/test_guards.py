"""What the database itself refuses, even to a service that was taken over."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.store import one_time_tokens
from ostiary_shared.store import sessions as signed_in
from ostiary_shared.store.one_time_tokens import Issue, Purpose
from tests.make import make_person


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM roles WHERE name = 'admin'",
        "DELETE FROM roles WHERE name = 'end-user'",
        "DELETE FROM role_permissions",
    ],
)
async def test_the_roles_that_ostiary_needs_stay(admin_sessions: Sessions, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"part of Ostiary|permits everything"):
        async with admin_sessions.begin() as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sessions SET ended_at = NULL",
        "UPDATE sessions SET ended_at = now() + interval '1 hour'",
        "UPDATE role_grants SET ended_at = NULL",
        "UPDATE one_time_tokens SET voided_at = NULL",
    ],
)
async def test_what_has_ended_stays_ended(
    sessions: Sessions, admin_sessions: Sessions, tools: AuthTools, statement: str
) -> None:
    person = await make_person(sessions, tools)
    async with sessions.begin() as session:
        issued = Issue(Purpose.RECOVER, tokens.mint("ot").digest, user_id=person.id)
        await one_time_tokens.issue(session, issued, clock.now())
        await one_time_tokens.void(session, clock.now(), person.id)
        await signed_in.end_all(session, person.id, clock.now(), "a test")
        await session.execute(text("UPDATE role_grants SET ended_at = now()"))
    with pytest.raises(DBAPIError, match="stays ended"):
        async with admin_sessions.begin() as session:
            await session.execute(text(statement))
