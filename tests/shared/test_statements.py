"""Single statements: each commits by itself, and a connection that broke is never used again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from ostiary_shared import clock, statements
from ostiary_shared.database import is_away, lost_a_race
from ostiary_shared.limit import Limit
from ostiary_shared.statements import Statements
from ostiary_shared.store import counters
from tests.conftest import Databases

LIMIT = Limit(5, timedelta(minutes=1))
WIDE = Limit(8, timedelta(minutes=1))


@pytest.fixture
async def single(database: Databases) -> AsyncIterator[Statements]:
    """Statements with the rights of the auth service."""
    made = Statements(database.auth, "test-statements")
    yield made
    await made.close()


async def _others_end(database: Databases) -> None:
    superuser = await asyncpg.connect(database.superuser)
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test-statements'"
    )
    await superuser.close()


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced(
    single: Statements, database: Databases
) -> None:
    await single.row("SELECT 1")
    await _others_end(database)
    await asyncio.sleep(0.1)
    assert (await single.row("SELECT 2"))[0] == 2


async def test_a_statement_that_is_cut_off_says_that_the_database_is_away(
    single: Statements, database: Databases
) -> None:
    waiting = asyncio.create_task(single.row("SELECT pg_sleep(4)"))
    await asyncio.sleep(0.3)
    await _others_end(database)
    with pytest.raises(asyncpg.PostgresError) as cut:
        await waiting
    assert is_away(cut.value)
    assert not lost_a_race(cut.value)
    assert (await single.row("SELECT 3"))[0] == 3


async def test_after_an_error_nothing_of_it_is_left_on_the_next_connection(single: Statements) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError) as wrong:
        await single.row("SELECT 1 / 0")
    assert not is_away(wrong.value)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(single.row("SELECT pg_sleep(4)"), 0.2)
    assert [row[0] for row in await asyncio.gather(*(single.row("SELECT 4") for _ in range(20)))] == [4] * 20


async def test_whoever_finds_no_connection_is_told_after_a_second(
    single: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "POOL_WAIT", 0.2)
    busy = [asyncio.create_task(single.row("SELECT pg_sleep(1)")) for _ in range(statements.CONNECTIONS)]
    await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError) as none_free:
        await single.row("SELECT 1")
    assert is_away(none_free.value)
    await asyncio.gather(*busy)


async def test_a_closed_connection_is_one_that_is_away(database: Databases) -> None:
    connection = await asyncpg.connect(database.auth)
    await connection.close()
    with pytest.raises(asyncpg.InterfaceError) as closed:
        await connection.fetch("SELECT 1")
    assert is_away(closed.value)


async def test_of_two_limits_that_are_counted_together_both_count_or_none(single: Statements) -> None:
    now = clock.now()
    waits = await asyncio.gather(*(counters.take_each(single, {"a": LIMIT, "b": WIDE}, now) for _ in range(40)))
    assert waits.count(0) == LIMIT.count
    assert {wait for wait in waits if wait} == {12}
    # What was refused left nothing behind on the wider one.
    assert [await counters.take_each(single, {"b": WIDE}, now) for _ in range(4)] == [0, 0, 0, 8]


async def test_what_is_given_back_can_be_taken_again_and_what_is_gone_does_no_harm(single: Statements) -> None:
    now, both = clock.now(), {"a": LIMIT, "b": WIDE}
    for _ in range(3 * LIMIT.count):
        assert await counters.take_each(single, both, now) == 0
        await counters.give_back_each(single, both, now)
    await single.rows("DELETE FROM counters")
    await counters.give_back_each(single, both, now)
    assert await counters.take_each(single, both, now) == 0
