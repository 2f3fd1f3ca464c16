"""`sessions end-all`: nothing that anybody carried is worth anything when the command has returned."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import make_tools
from ostiary_shared.database import make_engine, make_sessions
from tests.auth.fast.listening import listening
from tests.conftest import Databases
from tests.make import make_person
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]

TOKEN = """INSERT INTO api_tokens (user_id, name, token_digest, expires_at)
           SELECT id, 'ci', sha256(email::bytea), now() + '1 day' FROM users"""
LINK = """INSERT INTO one_time_tokens (purpose, token_digest, email, subject, expires_at)
          VALUES ('claim', decode(repeat('cc', 32), 'hex'), '', '{}', now() + '1 hour')"""


def _fill(database: Databases, settings: AuthSettings) -> None:
    """Three people with a session and an API token each, and a link."""

    async def fill() -> None:
        engine, tools = make_engine(database.auth, "test"), make_tools(settings)
        try:
            for number in range(3):
                await make_person(make_sessions(engine), tools, f"p{number}@example.test")
        finally:
            tools.passwords.close()
            await engine.dispose()
        await _execute(database, TOKEN, LINK)

    asyncio.run(fill())


async def _execute(database: Databases, *statements: str) -> None:
    connection = await asyncpg.connect(database.superuser)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_everything_ends_and_the_operator_sees_since_when(
    terminal: Terminal, database: Databases, auth_settings: AuthSettings
) -> None:
    _fill(database, auth_settings)
    told = terminal.json("sessions end-all --yes --reason restored")
    assert told["ended"] == {"sessions": 3, "api_tokens": 3, "links": 1}
    assert set(told["receipt"]) == {"milliseconds", "acknowledged", "lapsed"}
    assert terminal.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(0,)]
    assert terminal.rows("SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL") == [(0,)]
    assert terminal.rows("SELECT count(*) FROM one_time_tokens WHERE voided_at IS NULL") == [(0,)]
    audited = (
        "SELECT actor, target, reason, before->>'sessions' FROM audit_events WHERE event = 'operator:sessions:ended'"
    )
    assert terminal.rows(audited) == [("operator", "everybody", "restored", "3")]
    assert terminal.rows("SELECT count(*) FROM receipts") == [(1,)]
    again = terminal.ok("sessions end-all --yes")
    assert again.startswith("Ended 0 sessions, 0 API tokens and 0 mailed links. A new key signs.\nIn force everywhere")


def test_the_key_that_signed_before_is_not_shown_any_more(terminal: Terminal) -> None:
    terminal.ok("sessions end-all --yes")
    [(first,)] = terminal.rows("SELECT kid FROM signing_keys WHERE retired_at IS NULL")
    terminal.ok("sessions end-all --yes")
    shown = "SELECT kid FROM signing_keys WHERE retired_at IS NULL OR retired_at > now() - interval '10 minutes'"
    [(second,)] = terminal.rows(shown)
    assert first != second


def test_api_tokens_are_kept_when_asked_for(
    terminal: Terminal, database: Databases, auth_settings: AuthSettings
) -> None:
    _fill(database, auth_settings)
    said = terminal.ok("sessions end-all --yes --keep-api-tokens")
    assert said.startswith("Ended 3 sessions and 1 mailed link.")
    assert terminal.rows("SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL") == [(3,)]


def test_it_asks_once_and_does_nothing_without_a_yes(
    terminal: Terminal, database: Databases, auth_settings: AuthSettings
) -> None:
    _fill(database, auth_settings)
    done = terminal.run("sessions end-all", typed="n\n")
    assert done.exit_code == 1
    assert "This ends 3 sessions, 3 API tokens and 1 mailed link. Everybody has to sign in again." in done.stdout
    assert terminal.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(3,)]
    assert "say --yes, too" in terminal.refusal("sessions end-all --json")
    assert terminal.run("sessions end-all", typed="y\n").exit_code == 0
    assert terminal.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(0,)]


@pytest.mark.parametrize("people", [1, 300])
def test_replicas_hear_of_it_in_one_word(
    terminal: Terminal, database: Databases, auth_settings: AuthSettings, people: int
) -> None:
    async def hear() -> tuple[list[str], Any]:
        async with listening(database.auth, "one") as listener:
            ran = await asyncio.to_thread(terminal.ok, "sessions end-all --yes --json")
            return list(listener.heard), json.loads(ran)

    _fill(database, auth_settings)
    rest = "user_id, methods, assurance, created_at, authenticated_at, last_seen_at, expires_at, idle_limit, user_agent"
    copies = f"""INSERT INTO sessions (token_digest, ended_reason, {rest}) SELECT sha256(n::text::bytea), '', {rest}
                 FROM (SELECT * FROM sessions LIMIT 1) s, generate_series(1, {people}) n"""
    asyncio.run(_execute(database, "DELETE FROM api_tokens", copies))
    heard, told = asyncio.run(hear())
    assert set(heard) == {"*", "k"}
    assert told["receipt"]["acknowledged"] == ["one"]
    assert told["ended"]["sessions"] == people + 3
