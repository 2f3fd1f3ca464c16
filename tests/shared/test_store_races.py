"""Single use, limits and the last administrator, with many asking at once of a real PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions, broken_constraint
from ostiary_shared.limit import Limit
from ostiary_shared.models import AuditEvent, Role, RoleGrant
from ostiary_shared.store import counters, one_time_tokens, roles, users
from ostiary_shared.store.one_time_tokens import Issue, Purpose
from tests.make import make_person


async def test_of_fifty_uses_of_one_token_one_succeeds(sessions: Sessions) -> None:
    token = tokens.mint("ot")
    async with sessions.begin() as session:
        await one_time_tokens.issue(session, Issue(Purpose.CLAIM, token.digest), clock.now())

    async def use() -> bool:
        async with sessions.begin() as session:
            return await one_time_tokens.consume(session, Purpose.CLAIM, token.digest, clock.now()) is not None

    assert sum(await asyncio.gather(*(use() for _ in range(50)))) == 1


async def test_a_token_is_good_for_its_own_purpose_only(sessions: Sessions) -> None:
    token = tokens.mint("ot")
    async with sessions.begin() as session:
        await one_time_tokens.issue(session, Issue(Purpose.RECOVER, token.digest), clock.now())
        for purpose in set(Purpose) - {Purpose.RECOVER}:
            assert await one_time_tokens.consume(session, purpose, token.digest, clock.now()) is None
        late = clock.now() + one_time_tokens.LIFETIMES[Purpose.RECOVER]
        assert await one_time_tokens.consume(session, Purpose.RECOVER, token.digest, late) is None
        assert await one_time_tokens.consume(session, Purpose.RECOVER, token.digest, clock.now()) is not None


async def test_of_a_hundred_at_once_exactly_the_limit_passes(sessions: Sessions) -> None:
    now = clock.now()

    async def take() -> int:
        async with sessions.begin() as session:
            return await counters.take(session, "k", Limit(5, timedelta(minutes=1)), now)

    waits = await asyncio.gather(*(take() for _ in range(100)))
    assert waits.count(0) == 5
    assert {wait for wait in waits if wait} == {12}


async def test_a_limit_refills_evenly(sessions: Sessions) -> None:
    limit, now = Limit(2, timedelta(seconds=60)), clock.now()
    async with sessions.begin() as session:
        assert [await counters.take(session, "k", limit, now) for _ in range(3)] == [0, 0, 30]
        assert await counters.take(session, "k", limit, now + timedelta(seconds=30)) == 0
        assert await counters.take(session, "k", limit, now + timedelta(seconds=31)) > 0


async def test_seed_roles_are_made_once_by_many_starting_at_the_same_time(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        before = await session.scalar(select(func.count()).select_from(Role))

    async def start() -> None:
        async with sessions.begin() as session:
            await roles.seed(session)

    await asyncio.gather(*(start() for _ in range(10)))
    async with sessions.begin() as session:
        assert await session.scalar(select(func.count()).select_from(Role)) == before == 4


async def test_administrators_who_demote_each_other_leave_one(
    sessions: Sessions, admin_sessions: Sessions, tools: AuthTools
) -> None:
    people = [await make_person(sessions, tools, f"admin{n}@example.test", holds=("admin",)) for n in range(6)]

    async def demote(number: int) -> None:
        async with admin_sessions.begin() as session:
            role = await roles.find(session, "admin")
            assert role is not None
            await roles.revoke(session, people[number].id, role.id, by=None, now=clock.now())

    outcomes = await asyncio.gather(*(demote(number) for number in range(6)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(refused) == 1
    assert isinstance(refused[0], DBAPIError)
    assert broken_constraint(refused[0]) == "at_least_one_admin"
    async with sessions.begin() as session:
        assert await roles.usable_admins(session) == 1


@pytest.mark.parametrize("change", [{"locked_at": "now"}, {"deleted_at": "now"}, {"confirmed_at": None}])
async def test_the_last_administrator_can_be_neither_locked_nor_deleted_nor_unconfirmed(
    sessions: Sessions, admin_sessions: Sessions, tools: AuthTools, change: dict[str, str | None]
) -> None:
    person = await make_person(sessions, tools, holds=("admin",))
    values = {name: clock.now() if value else None for name, value in change.items()}
    with pytest.raises(IntegrityError):
        async with admin_sessions.begin() as session:
            await users.change(session, person.id, **values)


async def test_the_last_administrators_grant_gets_no_end(sessions: Sessions, database, tools: AuthTools) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    await make_person(sessions, tools, holds=("admin",))
    from ostiary_shared.database import make_engine, make_sessions

    engine = make_engine(database.owner, "test")
    with pytest.raises(DBAPIError):
        async with make_sessions(engine).begin() as session:
            await session.execute(RoleGrant.__table__.update().values(expires_at=clock.now()))  # type: ignore[attr-defined]
    await engine.dispose()


async def test_nobody_changes_history(sessions: Sessions, database) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    async with sessions.begin() as session:
        session.add(AuditEvent(event="x"))
    from ostiary_shared.database import make_engine, make_sessions

    for address in (database.auth, database.admin, database.owner):
        engine = make_engine(address, "test")
        for statement in ("UPDATE audit_events SET event = 'y'", "DELETE FROM audit_events", "TRUNCATE audit_events"):
            with pytest.raises(DBAPIError):
                async with make_sessions(engine).begin() as session:
                    await session.execute(text(statement))
        await engine.dispose()
