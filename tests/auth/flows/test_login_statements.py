"""What a sign-in asks of the database and of the hasher: no more than it must, and all of it as things are by then."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from ostiary_auth.factors.password import Passwords, Verdict
from ostiary_auth.flows import login
from ostiary_auth.flows.login import Attempt, Refused, SignedIn
from ostiary_auth.tools import Desk
from ostiary_shared.revocation import CHANNEL
from ostiary_shared.statements import Statements
from ostiary_shared.store import passwords
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG
from tests.conftest import Databases


@pytest.fixture
def asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements and hashes of what follows, in order."""
    seen: list[str] = []
    rows, verify = Statements.rows, Passwords.verify

    async def watched(self: Statements, statement: str, *values: Any) -> Any:
        seen.append(" ".join(statement.split())[:40])
        return await rows(self, statement, *values)

    async def hashed(self: Passwords, hash_: str | None, password: str) -> Verdict:
        seen.append("hash")
        return await verify(self, hash_, password)

    monkeypatch.setattr(Statements, "rows", watched)
    monkeypatch.setattr(Passwords, "verify", hashed)
    return seen


@pytest.fixture
async def notices(database: Databases) -> AsyncIterator[list[str]]:
    """What the database tells the replicas."""
    heard: list[str] = []
    connection = await asyncpg.connect(database.auth)
    await connection.add_listener(CHANNEL, lambda *told: heard.append(told[3]))
    yield heard
    await connection.close()


async def test_a_right_password_takes_four_statements_and_one_hash_and_no_transaction(
    desk: Desk, asked: list[str]
) -> None:
    await people.person(desk)
    mapped: list[str] = []
    async with desk.begin() as work:
        engine = work.session.bind.sync_engine  # type: ignore[union-attr]

    def note(*told: Any) -> None:
        mapped.append(told[2])

    event.listen(engine, "before_cursor_execute", note)
    assert isinstance(await login.sign_in(desk, Attempt(ADA, PASSWORD)), SignedIn)
    event.remove(engine, "before_cursor_execute", note)
    assert asked.count("hash") == 1
    assert len(asked) == 5
    assert mapped == []


@pytest.mark.parametrize("email", [ADA, "nobody@example.test"])
async def test_a_refusal_takes_three_statements_and_two_hashes_known_or_not(
    desk: Desk, asked: list[str], email: str
) -> None:
    await people.person(desk)
    assert await login.sign_in(desk, Attempt(email, WRONG)) == Refused()
    assert asked.count("hash") == 2
    assert len(asked) == 5


async def test_signing_in_tells_the_replicas_nothing_though_old_sessions_ran_out(
    desk: Desk, notices: list[str]
) -> None:
    await people.person(desk)
    first = await people.identity(desk)
    await people.rows(desk, "UPDATE sessions SET last_seen_at = now() - interval '9 days' RETURNING id")
    await people.identity(desk)
    await asyncio.sleep(0.1)
    assert notices == []
    kept = await people.rows(desk, "SELECT ended_at FROM sessions WHERE id = :id", id=first.session.id)
    assert kept == [(None,)]


async def test_a_session_that_ends_for_a_new_one_is_over_everywhere_before_the_answer(
    desk: Desk, notices: list[str]
) -> None:
    await people.person(desk)
    planted = await login.sign_in(desk, Attempt(ADA, PASSWORD))
    assert isinstance(planted, SignedIn)
    await login.sign_in(desk, Attempt(ADA, PASSWORD, presented=planted.started.token))
    # The session's own notice, then the barrier after it, before sign_in returned.
    await asyncio.sleep(0.05)
    assert [notice[0] for notice in notices] == ["s", "b"]


@pytest.mark.parametrize("change", ["another password", "deleted"])
async def test_what_changes_while_the_last_statement_waits_counts(desk: Desk, database: Databases, change: str) -> None:
    user = await people.person(desk)
    attempt = Attempt(ADA, PASSWORD)
    challenge = await login.ask(desk, attempt)
    checked = await login.check(desk.tools, challenge, PASSWORD)
    other = await people.hashed(desk.tools, OTHER)
    superuser = await asyncpg.connect(database.superuser)
    try:
        async with superuser.transaction():
            if change == "deleted":
                await superuser.execute("UPDATE users SET deleted_at = now() WHERE id = $1", user.id)
            else:
                await superuser.execute("DELETE FROM passwords WHERE user_id = $1", user.id)
                await superuser.execute(
                    "INSERT INTO passwords (user_id, hash, adopted_at) VALUES ($1, $2, now())", user.id, other
                )
            settling = asyncio.create_task(login.settle(desk, challenge, attempt, checked))
            await asyncio.sleep(0.3)
            assert not settling.done()
        assert await settling == Refused()
    finally:
        await superuser.close()
    assert await people.count(desk, "sessions") == 0


async def test_twenty_sign_ins_and_twenty_new_passwords_at_once_leave_nobody_waiting_in_a_circle(desk: Desk) -> None:
    user = await people.person(desk)
    attempt = Attempt(ADA, PASSWORD)
    challenge = await login.ask(desk, attempt)
    checked = await login.check(desk.tools, challenge, PASSWORD)
    hashed = await people.hashed(desk.tools)

    async def renew() -> None:
        async with desk.begin() as work:
            await work.session.execute(_hold(user.id))
            await passwords.put(work.session, user.id, hashed, work.now)

    settling = [login.settle(desk, challenge, attempt, checked) for _ in range(20)]
    outcomes = await asyncio.gather(*settling, *(renew() for _ in range(20)))
    assert {type(outcome) for outcome in outcomes[:20]} <= {SignedIn, Refused}


def _hold(user_id: Any) -> Any:
    from sqlalchemy import text

    return text("SELECT 1 FROM users WHERE id = :id FOR NO KEY UPDATE").bindparams(id=user_id)
