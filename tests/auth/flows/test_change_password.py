"""A new password for whoever knows the old one: everything else signed in by the old one ends."""

import asyncio
from datetime import timedelta

import pytest

from ostiary_auth import limits
from ostiary_auth.flows import change_password, login
from ostiary_auth.flows.change_password import Changed, WrongPassword
from ostiary_auth.flows.login import Attempt, SignedIn
from ostiary_auth.tools import Desk
from ostiary_shared.errors import Invalid, TooMany
from ostiary_shared.store import sessions
from ostiary_shared.store.one_time_tokens import Purpose
from ostiary_shared.tokens import digest
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG, Mailed


async def test_other_sessions_and_links_end_and_this_session_gets_a_new_token(desk: Desk) -> None:
    user = await people.person(desk)
    entered = await login.sign_in(desk, Attempt(ADA, PASSWORD))
    await people.identity(desk)
    assert isinstance(entered, SignedIn)
    await people.sent(desk, Purpose.RECOVER, Mailed(user.id))
    changed = await change_password.change(desk, entered.started.identity, PASSWORD, OTHER)
    assert isinstance(changed, Changed)
    assert (changed.ended, changed.remember) == (1, False)
    living = await people.rows(desk, "SELECT id FROM sessions WHERE ended_at IS NULL")
    assert living == [(entered.started.identity.session.id,)]
    assert await people.rows(desk, "SELECT 1 FROM one_time_tokens WHERE voided_at IS NULL") == []
    assert await people.rows(desk, "SELECT kind, email FROM messages") == [("password-changed", ADA)]
    async with desk.begin() as work:
        soon, late = work.now, work.now + sessions.ROTATION_GRACE + timedelta(seconds=1)
        assert (await sessions.present(work.session, digest(changed.token), soon)).session is not None
        assert (await sessions.present(work.session, digest(entered.started.token), late)).session is None
    assert isinstance(await login.sign_in(desk, Attempt(ADA, OTHER)), SignedIn)


async def test_a_wrong_present_password_changes_nothing_and_counts(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    outcomes = [await change_password.change(desk, who, WRONG, OTHER) for _ in range(limits.PASSWORD_GUESSES.count)]
    assert set(outcomes) == {WrongPassword()}
    with pytest.raises(TooMany):
        await change_password.change(desk, who, PASSWORD, OTHER)
    await people.identity(desk)


async def test_a_new_password_that_will_not_do_is_no_guess(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    for _ in range(limits.PASSWORD_GUESSES.count + 1):
        with pytest.raises(Invalid):
            await change_password.change(desk, who, PASSWORD, "short")


async def test_only_the_present_password_has_a_new_one_weighed(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    assert await change_password.change(desk, who, WRONG, "short") == WrongPassword()


async def test_of_two_tabs_one_changes_the_password(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    outcomes = await asyncio.gather(
        *(change_password.change(desk, who, PASSWORD, f"{OTHER} {tab}") for tab in range(2))
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Changed", "WrongPassword"]


async def test_a_remembered_session_stays_remembered(desk: Desk) -> None:
    await people.person(desk)
    entered = await login.sign_in(desk, Attempt(ADA, PASSWORD, remember=True))
    assert isinstance(entered, SignedIn)
    changed = await change_password.change(desk, entered.started.identity, PASSWORD, OTHER)
    assert isinstance(changed, Changed)
    assert changed.remember
