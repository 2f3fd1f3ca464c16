"""The line between a replica and the database: what it hears, and when it stops believing itself. Real PostgreSQL."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from ostiary_auth.fast import lease
from ostiary_auth.tools import AuthTools, Desk
from ostiary_shared import revocation
from ostiary_shared.database import Sessions
from ostiary_shared.tokens import digest
from tests.auth.fast.listening import Listener, listening, until
from tests.auth.people import identity
from tests.conftest import Databases
from tests.make import PASSWORD, Person, make_person


@contextlib.asynccontextmanager
async def _superuser(database: Databases) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.superuser)
    try:
        yield connection
    finally:
        await connection.close()


async def _line_pid(connection: asyncpg.Connection) -> int:
    """The backend that serves the (only) line."""
    pid = await connection.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'ostiary-lease' AND datname = current_database()"
    )
    assert pid is not None
    return int(pid)


@pytest.fixture
async def ada(sessions: Sessions, tools: AuthTools) -> Person:
    return await make_person(sessions, tools)


@pytest.fixture
async def listener(database: Databases, ada: Person) -> AsyncIterator[Listener]:
    async with listening(database.auth) as heard:
        yield heard


def _notice_of(person: Person) -> str:
    return f"s {digest(person.token)[:16].hex()}"


SITE = "INSERT INTO sites (name, host) VALUES ('Wiki', 'wiki.example.test') RETURNING id"
RULE = f"""WITH site AS ({SITE}) INSERT INTO site_rules (site_id, position, path_prefix, asks)
           SELECT id, 1, '/', 'anyone' FROM site"""
TAKES_FROM_ADA = {
    "ending the session": "UPDATE sessions SET ended_at = now()",
    "a new token for it": "UPDATE sessions SET previous_digest = token_digest, token_digest = '\\x01'",
    "another limit": "UPDATE sessions SET idle_limit = '1 minute'",
    "deleting the session": "DELETE FROM sessions",
    "locking": "UPDATE users SET locked_at = now()",
    "deleting": "UPDATE users SET deleted_at = now()",
    "another name": "UPDATE users SET name = 'Ada L.'",
    "a grant": "INSERT INTO role_grants (user_id, role_id, reason) SELECT u.id, r.id, '' FROM users u, roles r"
    " WHERE r.name = 'auditor'",
    "a grant that ends": "UPDATE role_grants SET ended_at = now()",
}
TAKES_FROM_ALL = {
    "what a role permits": (
        "INSERT INTO role_permissions SELECT id, 'roles:read' FROM roles WHERE name = 'end-user'",
        "*",
    ),
    "the name of a role": ("UPDATE roles SET name = 'controller' WHERE name = 'auditor'", "*"),
    "a site": (SITE, "w"),
    "a rule": (RULE, "w"),
    "a signing key": ("INSERT INTO signing_keys (kid, public_jwk, sealed_private) VALUES ('k1', '{}', '\\x00')", "k"),
    "everything": ("SELECT pg_notify('ostiary', '*')", "*"),
}


@pytest.mark.parametrize("statement", TAKES_FROM_ADA.values(), ids=TAKES_FROM_ADA)
async def test_whatever_takes_from_a_person_is_heard_as_their_token(
    statement: str, database: Databases, ada: Person, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        await connection.execute(statement)
    await until(lambda: _notice_of(ada) in listener.heard)


@pytest.mark.parametrize(("statement", "notice"), TAKES_FROM_ALL.values(), ids=TAKES_FROM_ALL)
async def test_whatever_takes_from_all_is_heard_by_kind(
    statement: str, notice: str, database: Databases, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        await connection.execute(statement)
    await until(lambda: notice in listener.heard)
    assert set(listener.heard) == {notice}


async def test_tokens_of_programs_and_of_single_sites_are_heard_too(
    database: Databases, ada: Person, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        await connection.execute(
            "INSERT INTO api_tokens (user_id, name, token_digest, expires_at)"
            " SELECT id, 'ci', decode(repeat('aa', 32), 'hex'), now() + '1 day' FROM users;"
            "INSERT INTO site_sessions (session_id, host, token_digest)"
            " SELECT id, 'wiki', decode(repeat('bb', 32), 'hex') FROM sessions"
        )
        await asyncio.sleep(0.05)
        assert listener.heard == []
        await connection.execute("UPDATE api_tokens SET revoked_at = now()")
        await until(lambda: f"s {'aa' * 16}" in listener.heard)
        await connection.execute("UPDATE sessions SET ended_at = now()")
        await until(lambda: f"s {'bb' * 16}" in listener.heard)


async def test_nothing_is_heard_before_the_commit_nor_after_a_rollback(database: Databases, listener: Listener) -> None:
    async with _superuser(database) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE users SET locked_at = now()")
        await asyncio.sleep(0.1)
        await transaction.rollback()
    await asyncio.sleep(0.1)
    assert listener.heard == []


async def test_signing_in_tells_nobody_anything(desk: Desk, ada: Person, listener: Listener) -> None:
    await identity(desk, ada.email, PASSWORD)
    await asyncio.sleep(0.1)
    assert listener.heard == []


@pytest.mark.parametrize("garbage", ["", "s", "s 12", f"s {'zz' * 16}", "h x y", "b -1", f"b {'9' * 40}", "S *", "* *"])
async def test_what_cannot_be_understood_forgets_everything(
    garbage: str, database: Databases, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        await connection.execute("SELECT pg_notify('ostiary', $1)", garbage)
    await until(lambda: {"*", "w", "k"} <= set(listener.heard))


async def test_the_lease_is_renewed_by_each_heartbeat_and_never_reaches_a_second_ahead(listener: Listener) -> None:
    for _ in range(100):
        assert 0.3 < listener.until - time.monotonic() < revocation.LEASE - 0.09
        await asyncio.sleep(0.01)
    assert 3 <= len([at for at in listener.leases if at]) <= 8


async def test_a_revocation_is_acknowledged_in_milliseconds_by_every_replica(
    database: Databases, sessions: Sessions
) -> None:
    async with listening(database.auth, "one"), listening(database.auth, "two"):
        async with sessions.begin() as done:
            revocation.mark(done)
        receipts = [await revocation.settle(sessions, done) for _ in range(20)]
    assert {receipt.acknowledged for receipt in receipts} == {("one", "two")}
    assert {receipt.lapsed for receipt in receipts} == {()}
    assert sorted(receipt.milliseconds for receipt in receipts)[10] < 200


async def test_whoever_waits_has_been_heard_when_the_wait_is_over(
    database: Databases, sessions: Sessions, tools: AuthTools
) -> None:
    people = [await make_person(sessions, tools, f"p{number}@example.test") for number in range(10)]
    async with listening(database.auth) as listener, _superuser(database) as connection:
        for person in people:
            await connection.execute("UPDATE sessions SET ended_at = now() WHERE user_id = $1", person.id)
            async with sessions() as done:
                await revocation.settle(sessions, done)
            assert _notice_of(person) in listener.heard


async def test_a_replica_that_died_is_waited_for_once_and_then_forgotten(
    database: Databases, sessions: Sessions, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        await connection.execute("INSERT INTO replicas (name) VALUES ('dead')")
    async with sessions() as done:
        first = await revocation.settle(sessions, done)
        second = await revocation.settle(sessions, done)
    assert (first.acknowledged, first.lapsed) == (("here",), ("dead",))
    assert 950 <= first.milliseconds <= 1400
    assert (second.acknowledged, second.lapsed) == (("here",), ())
    assert second.milliseconds < 500


async def test_a_replica_that_was_given_up_forgets_and_registers_anew(database: Databases, listener: Listener) -> None:
    async with _superuser(database) as connection:
        line = await _line_pid(connection)
        old = await connection.fetchval("DELETE FROM replicas RETURNING id")
        await until(lambda: 0 in listener.leases[1:])
        await until(lambda: listener.alive)
        new = await connection.fetchval("SELECT id FROM replicas")
        assert await _line_pid(connection) == line
    assert new is not None
    assert new != old
    assert {"*", "w", "k"} <= set(listener.heard)


async def test_a_killed_connection_ends_the_lease_at_once_and_is_made_anew(
    database: Databases, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        await connection.execute("SELECT pg_terminate_backend($1)", await _line_pid(connection))
        assert await until(lambda: listener.until == 0) < 0.2
        assert {"*", "w", "k"} <= set(listener.heard)
        await until(lambda: listener.alive)
        assert await connection.fetchval("SELECT count(*) FROM replicas") == 1


async def test_a_frozen_connection_lets_the_lease_run_out_and_is_made_anew(
    database: Databases, listener: Listener
) -> None:
    async with _superuser(database) as connection:
        pid = await _line_pid(connection)
        try:
            os.kill(pid, signal.SIGSTOP)
        except PermissionError:
            pytest.skip("the server runs as somebody else")
        try:
            assert await until(lambda: not listener.alive) < 1.2
            assert await until(lambda: listener.alive) < 2
            assert await _newest_line(connection) != pid
        finally:
            os.kill(pid, signal.SIGCONT)
    assert {"*", "w", "k"} <= set(listener.heard)


async def _newest_line(connection: asyncpg.Connection) -> int:
    return int(
        await connection.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'ostiary-lease'"
            " AND datname = current_database() ORDER BY backend_start DESC LIMIT 1"
        )
    )


async def test_a_database_that_is_away_earns_no_lease_and_does_not_end_the_line() -> None:
    listener, stop = Listener(), asyncio.Event()
    task = asyncio.create_task(lease.keep("postgresql://nobody@127.0.0.1:1/x", "here", listener.ears, stop))
    await asyncio.sleep(0.3)
    assert not task.done()
    assert not any(listener.leases)
    stop.set()
    await asyncio.wait_for(task, 2)


async def test_an_orderly_stop_gives_the_lease_back_before_it_leaves(database: Databases) -> None:
    async with listening(database.auth) as listener:
        pass
    assert listener.until == 0
    async with _superuser(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM replicas") == 0


async def test_ears_that_fail_cost_the_lease(
    database: Databases, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("broken ear")

    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _loop, context: faults.append(context["exception"]))
    monkeypatch.setattr(lease, "hear", fail)
    try:
        await until(lambda: listener.until == 0)
        monkeypatch.undo()
        await until(lambda: listener.alive)
    finally:
        loop.set_exception_handler(None)
    assert faults
