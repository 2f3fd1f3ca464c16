"""When a replica that says nothing is given up: never before a whole lease has passed since its last sign of life."""

import asyncio
import time

import pytest
from sqlalchemy import text

from ostiary_shared import revocation
from ostiary_shared.database import STATEMENT_TIMEOUT_MS, Sessions

BEAT = text("UPDATE replicas SET beats = beats + 1, heard_at = now()")


async def test_a_replica_that_beat_while_the_barrier_was_slow_is_not_given_up_within_its_lease(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever begins to wait after that would not find it, and return while it still answers from memory."""
    barrier, last = revocation._barrier, [0.0]

    async def slow(of: Sessions) -> int:
        await asyncio.sleep(0.4)  # a busy database
        async with of.begin() as session:
            last[0] = time.monotonic()
            await session.execute(BEAT)
        return await barrier(of)

    async with sessions.begin() as session:
        await session.execute(text("INSERT INTO replicas (name) VALUES ('paused')"))
    monkeypatch.setattr(revocation, "_barrier", slow)
    async with sessions() as done:
        receipt = await revocation.settle(sessions, done)
    assert receipt.lapsed == ("paused",)
    assert time.monotonic() - last[0] >= revocation.LEASE
    async with sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM replicas")) == 0


async def test_a_replica_that_beats_but_does_not_acknowledge_is_waited_for_and_kept(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await session.execute(text("INSERT INTO replicas (name) VALUES ('slow')"))

    async def beat() -> None:
        for _ in range(6):
            await asyncio.sleep(0.15)
            async with sessions.begin() as session:
                await session.execute(BEAT)

    beating = asyncio.create_task(beat())
    async with sessions() as done:
        receipt = await revocation.settle(sessions, done)
    await beating
    assert receipt.lapsed == ("slow",)
    assert receipt.milliseconds >= 1000
    async with sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM replicas")) == 1


async def test_a_backend_that_froze_in_the_middle_of_a_heartbeat_holds_nobody_up(
    sessions: Sessions, admin_sessions: Sessions
) -> None:
    """Its row stays locked: whoever cleared it away would wait for the frozen one until their statement timed out."""
    async with sessions.begin() as session:
        await session.execute(text("INSERT INTO replicas (name) VALUES ('frozen')"))
    async with sessions.begin() as frozen:
        await frozen.execute(BEAT)
        async with admin_sessions() as done:
            first = await revocation.settle(admin_sessions, done)
    assert (first.acknowledged, first.lapsed) == ((), ("frozen",))
    assert revocation.LEASE <= first.milliseconds / 1000 < STATEMENT_TIMEOUT_MS / 1000
    async with admin_sessions() as done:
        assert (await revocation.settle(admin_sessions, done)).lapsed == ("frozen",)
    async with sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM replicas")) == 0


async def test_what_is_committed_does_not_look_failed_when_it_cannot_be_followed(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is heard by no one it counts after a lease: who keeps one by then has heard of it."""

    async def too_slow(of: Sessions) -> int:
        async with of.begin() as session:
            await session.execute(text("SET LOCAL statement_timeout = 20"))
            await session.execute(text("SELECT pg_sleep(9)"))
        return 0

    monkeypatch.setattr(revocation, "_barrier", too_slow)
    async with sessions() as done:
        receipt = await revocation.settle(sessions, done)
    assert receipt.lapsed == ("the database did not answer",)
    assert receipt.milliseconds >= 1000 * revocation.LEASE - 1
