"""Signing keys: one whoever starts first, unreadable in the table, and replaced when the secret was."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from ostiary_auth.flows import signing_keys
from ostiary_auth.tools import AuthTools, AuthWork, Keyring
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.tokens import Key
from ostiary_shared.work import Caller, open_work

SEALING, OTHER = Key((b"k" * 32,)), Key((b"o" * 32,))


async def make(sessions: Sessions, key: Key = SEALING) -> str:
    async with sessions.begin() as session:
        return str((await signing_keys.make_first(session, key, clock.now())).kid)


async def test_however_many_processes_start_at_once_there_is_one_key(sessions: Sessions) -> None:
    assert len(set(await asyncio.gather(*(make(sessions) for _ in range(8))))) == 1


async def test_the_private_half_is_sealed_to_its_own_row(sessions: Sessions) -> None:
    kid = await make(sessions)
    async with sessions.begin() as session:
        [(sealed, public)] = (await session.execute(text("SELECT sealed_private, public_jwk FROM signing_keys"))).all()
        assert b'"d"' not in sealed
        assert '"d"' not in public
        await session.execute(text("UPDATE signing_keys SET kid = 'other'"))
    assert await make(sessions) not in {kid, "other"}


async def test_after_a_change_of_the_secret_the_old_key_retires_and_a_new_one_is_made(
    work: AuthWork, sessions: Sessions
) -> None:
    old, new = await make(sessions), await make(sessions, OTHER)
    assert old != new
    assert await make(sessions, OTHER) == new
    shown = await signing_keys.public_set(work)
    assert {key["kid"] for key in shown["keys"]} == {old, new}  # type: ignore[attr-defined]
    late = an_hour_later(work)
    assert [key["kid"] for key in (await signing_keys.public_set(late))["keys"]] == [new]  # type: ignore[attr-defined]


def an_hour_later(work: AuthWork) -> AuthWork:
    return replace(work, now=work.now + timedelta(hours=1))


async def test_a_running_process_takes_up_a_new_key_within_a_minute(tools: AuthTools, sessions: Sessions) -> None:
    fresh = replace(tools, keyring=Keyring())
    async with open_work(sessions, tools=fresh, caller=Caller()) as work:
        first = (await signing_keys.current(work)).kid
        assert (await signing_keys.current(work)).kid == first
        later = replace(work, now=work.now + signing_keys.REREAD_AFTER)
        await work.session.execute(text("UPDATE signing_keys SET retired_at = now()"))
        assert (await signing_keys.current(work)).kid == first
        assert (await signing_keys.current(later)).kid != first
