"""A read that began before a revoke must not outlive it in memory: one interleaving, every time, seen by the judge."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ostiary.revocation_check.judge import Asked, Judge, Outcome, Right
from ostiary_auth.fast import lookup
from ostiary_auth.fast.memory import Memory, Reading
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared.database import Sessions
from ostiary_shared.store import sessions as store
from ostiary_shared.tokens import digest
from ostiary_shared.work import Caller, open_work
from tests.auth.fast.doors import Doors, opened
from tests.conftest import Databases
from tests.make import Person, make_person


@pytest.fixture
async def doors(database: Databases, auth_settings: AuthSettings) -> AsyncIterator[Doors]:
    async with opened(auth_settings) as found:
        yield found


class Held:
    """Holds the answer of the database back, between the SELECT and what is made of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.selected, self.go = asyncio.Event(), asyncio.Event()
        self._find = lookup.find
        monkeypatch.setattr(lookup, "find", self._held)

    async def _held(self, *asked: Any) -> Any:
        found = await self._find(*asked)
        self.selected.set()
        await self.go.wait()
        return found


async def _ask(doors: Doors, judge: Judge, right: Right, person: Person) -> None:
    invoked = time.monotonic()
    answer = await doors.by_quick_door(b"/api/v1/session", [(b"authorization", f"Bearer {person.token}".encode())])
    outcome = {200: Outcome.ACCEPTED, 401: Outcome.REFUSED}.get(answer.status, Outcome.UNKNOWN)
    judge.heard(right, Asked(invoked, time.monotonic(), "here", outcome))


async def _race(doors: Doors, rows: Sessions, person: Person, held: Held, tools: AuthTools) -> Judge:
    """A read is under way, the session is ended, the revoke returns; then the read goes on, and somebody asks again."""
    judge, right = Judge(), Right("the session")
    reading = asyncio.create_task(_ask(doors, judge, right, person))
    await held.selected.wait()
    judge.taking(right, time.monotonic())
    async with open_work(rows, tools=tools, caller=Caller()) as work:
        await store.end_by_token(work.session, digest(person.token), work.now, "a race")
    judge.revoked(right, time.monotonic())
    assert work.receipt is not None
    assert not work.receipt.lapsed
    held.go.set()
    await reading
    await _ask(doors, judge, right, person)
    return judge


async def test_a_read_that_a_revoke_overtook_fills_no_memory(
    doors: Doors, sessions: Sessions, tools: AuthTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person(sessions, tools)
    judge = await _race(doors, sessions, person, Held(monkeypatch), tools)
    assert (judge.accepted, judge.refused, judge.wrong) == (1, 1, 0)


async def test_without_the_guard_the_judge_sees_it(
    doors: Doors, sessions: Sessions, tools: AuthTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(self: Memory, key: bytes, reading: Reading, record: bytes | None) -> None:
        reading.spoiled = False
        guarded(self, key, reading, record)

    guarded = Memory.finish
    monkeypatch.setattr(Memory, "finish", finish)
    person = await make_person(sessions, tools)
    judge = await _race(doors, sessions, person, Held(monkeypatch), tools)
    assert (judge.accepted, judge.wrong) == (2, 1)
