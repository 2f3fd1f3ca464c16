"""A way back in: the same answer for all, once, and everything older ends with it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from ostiary_auth import limits
from ostiary_auth.flows import login, recover, reset
from ostiary_auth.flows.login import Attempt, Refused, SignedIn
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.reset import INVITE, RECOVER, Renewed, Reset
from ostiary_auth.tools import Desk
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.errors import Invalid, TooMany
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG, Mailed


async def _ask(desk: Desk, email: str) -> None:
    async with desk.begin() as work:
        await recover.recover(work, email)


@pytest.mark.parametrize("email", [ADA, "nobody@example.test", "waiting@example.test"])
async def test_asking_writes_as_much_for_every_address_and_nothing_lasting_for_strangers(
    desk: Desk, email: str
) -> None:
    await people.person(desk)
    await people.person(desk, "waiting@example.test", confirmed=False)
    before = await people.tables(desk)
    await _ask(desk, email.upper())
    after = await people.tables(desk)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    # Three rows either way; those for strangers are forgotten again.
    known = {"messages": 1, "audit_events": 1, "counters": 1}
    assert grown == ({"messages": 1, "counters": 2} if email == "nobody@example.test" else known)
    (mail,) = await people.rows(desk, "SELECT kind, email, user_id FROM messages")
    assert mail.kind == "recover"
    assert (mail.user_id is None) == (email == "nobody@example.test")


async def test_the_mail_goes_to_the_address_as_it_is_kept(desk: Desk) -> None:
    await people.person(desk, "straße@example.test")
    await _ask(desk, "STRASSE@example.test")
    assert await people.rows(desk, "SELECT email FROM messages") == [("straße@example.test",)]


async def test_a_thousand_requests_fill_no_mailbox(desk: Desk) -> None:
    await people.person(desk)
    for number in range(30):
        await _ask(desk, ADA.upper() if number % 2 else ADA)
    assert await people.count(desk, "messages") == limits.MAILS_PER_ADDRESS.count


@pytest.mark.parametrize("by", [0, 1])
async def test_a_new_password_ends_every_session_and_link_and_starts_none(desk: Desk, by: int) -> None:
    user = await people.person(desk)
    await people.identity(desk)
    older, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, "new@example.test"))
    proof = (await people.sent(desk, RECOVER, Mailed(user.id)))[by]
    assert isinstance(await reset.reset(desk, Reset(RECOVER, proof, OTHER)), Renewed)
    assert await people.rows(desk, "SELECT id FROM sessions WHERE ended_at IS NULL") == []
    assert (
        await people.rows(desk, "SELECT id FROM one_time_tokens WHERE consumed_at IS NULL AND voided_at IS NULL") == []
    )
    assert await people.rows(desk, "SELECT kind, email FROM messages") == [("password-changed", ADA)]
    assert older.token
    assert await login.sign_in(desk, Attempt(ADA, PASSWORD)) == Refused()
    assert isinstance(await login.sign_in(desk, Attempt(ADA, OTHER)), SignedIn)


async def test_of_many_uses_at_once_one_succeeds(desk: Desk) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    hashed = await people.hashed(desk.tools, OTHER)

    async def use() -> Renewed | Dead:
        async with desk.begin() as work:
            return await reset.settle(work, Reset(RECOVER, link, hashed))

    outcomes = await asyncio.gather(*(use() for _ in range(50)))
    assert [type(outcome) for outcome in outcomes].count(Renewed) == 1
    assert await people.count(desk, "messages") == 1


async def test_a_password_that_will_not_do_leaves_the_link_good(desk: Desk) -> None:
    user = await people.person(desk)
    for proof in await people.sent(desk, RECOVER, Mailed(user.id)):
        with pytest.raises(Invalid):
            await reset.reset(desk, Reset(RECOVER, proof, "ada@example.test"))
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    assert isinstance(await reset.reset(desk, Reset(RECOVER, link, OTHER)), Renewed)


async def test_recovery_proves_its_own_mailbox_and_forgets_waiting_passwords(desk: Desk) -> None:
    from ostiary_auth.flows import signup

    await signup.sign_up(desk, signup.Wish(ADA, PASSWORD))
    (user,) = await people.rows(desk, "SELECT id FROM users")
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    assert isinstance(await reset.reset(desk, Reset(RECOVER, link, OTHER)), Renewed)
    assert await login.sign_in(desk, Attempt(ADA, PASSWORD)) == Refused()
    assert isinstance(await login.sign_in(desk, Attempt(ADA, OTHER)), SignedIn)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not RECOVER])
async def test_a_secret_for_something_else_sets_no_password(desk: Desk, purpose: Purpose) -> None:
    user = await people.person(desk)
    for proof in await people.sent(desk, purpose, Mailed(user.id)):
        assert await reset.reset(desk, Reset(RECOVER, proof, OTHER)) == Dead()


async def test_a_link_to_a_former_address_is_dead(desk: Desk) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id, "former@example.test"))
    assert await reset.reset(desk, Reset(RECOVER, link, OTHER)) == Dead()


async def test_a_locked_account_is_not_recovered(desk: Desk, admin_sessions: Sessions) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    async with admin_sessions.begin() as session:
        await session.execute(text("UPDATE users SET locked_at = now()"))
    assert await reset.reset(desk, Reset(RECOVER, link, OTHER)) == Dead()


async def test_an_old_link_is_dead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    later = clock.now() + timedelta(minutes=30)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await reset.reset(desk, Reset(RECOVER, link, OTHER)) == Dead()


async def test_codes_cannot_be_guessed_for_long(desk: Desk) -> None:
    user = await people.person(desk)
    _, code = await people.sent(desk, RECOVER, Mailed(user.id))
    for number in range(limits.CODE_GUESSES.count):
        assert await reset.reset(desk, Reset(RECOVER, Proof("", ADA, f"NOPE{number}"), OTHER)) == Dead()
    with pytest.raises(TooMany):
        await reset.reset(desk, Reset(RECOVER, code, OTHER))


async def test_recovery_forgives_the_guesses_at_the_old_password(desk: Desk) -> None:
    user = await people.person(desk)
    for _ in range(limits.PASSWORD_GUESSES.count):
        await login.sign_in(desk, Attempt(ADA, WRONG))
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    await reset.reset(desk, Reset(RECOVER, link, OTHER))
    assert isinstance(await login.sign_in(desk, Attempt(ADA, OTHER)), SignedIn)


async def test_an_invitation_sets_the_first_password_and_confirms(desk: Desk) -> None:
    user = await people.person(desk, password=None, confirmed=False)
    link, _ = await people.sent(desk, INVITE, Mailed(user.id))
    assert isinstance(await reset.reset(desk, Reset(INVITE, link, OTHER)), Renewed)
    assert isinstance(await login.sign_in(desk, Attempt(ADA, OTHER)), SignedIn)
    assert await reset.reset(desk, Reset(INVITE, link, PASSWORD)) == Dead()
