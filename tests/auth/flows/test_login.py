"""Signing in: who gets in, who learns nothing, and what slows guessing down."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from ostiary_auth import limits
from ostiary_auth.factors.password import Passwords, Verdict
from ostiary_auth.flows import known_device, login, start_session
from ostiary_auth.flows.login import Attempt, NotConfirmed, Outcome, Refused, SignedIn
from ostiary_auth.tools import Desk
from ostiary_shared.errors import TooMany
from ostiary_shared.store import passwords, sessions, users
from ostiary_shared.tokens import digest
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG


async def _try(desk: Desk, attempt: Attempt) -> Outcome | TooMany:
    try:
        return await login.sign_in(desk, attempt)
    except TooMany as too_many:
        return too_many


async def test_the_right_password_starts_a_session(desk: Desk) -> None:
    user = await people.person(desk, role="support")
    entered = await login.sign_in(desk, Attempt("ADA@Example.TEST", PASSWORD))
    assert isinstance(entered, SignedIn)
    assert entered.started.identity.id == user.id
    assert entered.started.identity.roles == ("support",)
    assert entered.started.token.startswith("os_")


async def test_a_refusal_is_remembered_though_nobody_got_in(desk: Desk) -> None:
    await people.person(desk)
    assert await login.sign_in(desk, Attempt(ADA, WRONG)) == Refused()
    assert await people.rows(desk, "SELECT event, target FROM audit_events") == [("user:session:refused", ADA)]
    assert await people.count(desk, "sessions") == 0


@pytest.mark.parametrize(
    "state", ["unknown", "wrong", "locked", "deleted", "unconfirmed", "no password", "not an address"]
)
async def test_every_refusal_costs_the_same_work_and_leaves_the_same_rows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    email = {"unknown": "nobody@example.test", "not an address": "no address"}.get(state, ADA)
    user = await people.person(
        desk,
        password=None if state == "no password" else PASSWORD,
        confirmed=state not in {"unconfirmed", "no password"},
    )
    change = {"locked": "locked_at", "deleted": "deleted_at"}.get(state)
    if change:
        async with desk.begin() as work:
            await users.change(work.session, user.id, name="x")
        await _as_superuser(desk, user.email, change, monkeypatch)
    hashes: list[str | None] = []
    verify = Passwords.verify

    async def counted(self: Passwords, hashed: str | None, password: str) -> Verdict:
        hashes.append(hashed)
        return await verify(self, hashed, password)

    monkeypatch.setattr(Passwords, "verify", counted)
    before = await people.tables(desk)
    password = PASSWORD if state in {"locked", "deleted"} else WRONG
    assert await login.sign_in(desk, Attempt(email, password)) == Refused()
    after = await people.tables(desk)
    assert len(hashes) == 2
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "audit_events": 1,
        "counters": 2,
    }


async def _as_superuser(desk: Desk, email: str, column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auth itself may neither lock nor delete: do it as the database's owner."""
    import os

    import asyncpg

    async with desk.begin() as work:
        name = await work.session.scalar(text("SELECT current_database()"))
    connection = await asyncpg.connect(os.environ["OSTIARY_TEST_POSTGRES"].replace("/postgres?", f"/{name}?"))
    await connection.execute(f"UPDATE users SET {column} = now() WHERE email = $1", email)
    await connection.close()


async def test_the_right_password_of_an_unconfirmed_account_says_what_to_do(desk: Desk) -> None:
    user = await people.person(desk, password=None, confirmed=False)
    async with desk.begin() as work:
        await passwords.wait(work.session, passwords.SignUp(user.id, await people.hashed(desk.tools)), work.now)
    assert await login.sign_in(desk, Attempt(ADA, PASSWORD)) == NotConfirmed(ADA)


async def test_a_password_set_by_an_administrator_opens_nothing_before_the_address_is_confirmed(desk: Desk) -> None:
    await people.person(desk, confirmed=False)
    assert await login.sign_in(desk, Attempt(ADA, PASSWORD)) == NotConfirmed(ADA)


async def test_signing_up_with_a_strangers_address_does_not_tell_whether_they_have_an_account(desk: Desk) -> None:
    from ostiary_auth.flows import signup

    await people.person(desk)
    for email in (ADA, "nobody@example.test"):
        await signup.sign_up(desk, signup.Wish(email, OTHER))
        assert await login.sign_in(desk, Attempt(email, OTHER)) == NotConfirmed(email)
    assert isinstance(await login.sign_in(desk, Attempt(ADA, PASSWORD)), SignedIn)


async def test_once_an_administrator_confirmed_the_address_nobody_is_told_to_do_so(desk: Desk) -> None:
    from ostiary_auth.flows import signup

    await signup.sign_up(desk, signup.Wish(ADA, PASSWORD))
    await people.rows(desk, "UPDATE users SET confirmed_at = now() RETURNING id")
    assert await login.sign_in(desk, Attempt(ADA, PASSWORD)) == Refused()


async def test_sixty_guesses_at_once_are_not_more_than_the_limit(desk: Desk) -> None:
    await people.person(desk)
    outcomes = await asyncio.gather(*(_try(desk, Attempt(ADA, f"{WRONG} {number}")) for number in range(60)))
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {Refused: limits.PASSWORD_GUESSES.count, TooMany: 60 - limits.PASSWORD_GUESSES.count}


async def test_twenty_right_passwords_at_once_all_get_in(desk: Desk) -> None:
    await people.person(desk)
    outcomes = await asyncio.gather(*(_try(desk, Attempt(ADA, PASSWORD)) for _ in range(20)))
    assert {type(outcome) for outcome in outcomes} == {SignedIn}


async def test_an_address_has_one_count_however_it_is_written_and_whether_it_exists(desk: Desk) -> None:
    for name in ("straße@example.test", "nobody@example.test"):
        spellings = (name, name.upper(), name.title())
        for number in range(limits.PASSWORD_GUESSES.count):
            assert await _try(desk, Attempt(spellings[number % 3], WRONG)) == Refused()
        assert isinstance(await _try(desk, Attempt(f" {name} ", WRONG)), TooMany)


async def test_getting_in_does_not_forgive_the_guesses_before(desk: Desk) -> None:
    await people.person(desk)
    for _ in range(limits.PASSWORD_GUESSES.count - 1):
        await login.sign_in(desk, Attempt(ADA, WRONG))
    assert isinstance(await login.sign_in(desk, Attempt(ADA, PASSWORD)), SignedIn)
    assert await login.sign_in(desk, Attempt(ADA, WRONG)) == Refused()
    assert isinstance(await _try(desk, Attempt(ADA, PASSWORD)), TooMany)


async def test_a_known_device_is_not_held_up_by_strangers(desk: Desk) -> None:
    user = await people.person(desk)
    other = await people.person(desk, "eve@example.test")
    for _ in range(limits.PASSWORD_GUESSES.count):
        await login.sign_in(desk, Attempt(ADA, WRONG))
    assert isinstance(await _try(desk, Attempt(ADA, PASSWORD)), TooMany)
    assert isinstance(await _try(desk, Attempt(ADA, PASSWORD, device=known_device.mark(desk.tools, other.id))), TooMany)
    mine = known_device.mark(desk.tools, user.id)
    entered = await _try(desk, Attempt(ADA, PASSWORD, device=mine))
    assert isinstance(entered, SignedIn)
    assert entered.device == mine


async def test_a_stolen_device_mark_allows_no_more_guesses_than_any_device(desk: Desk) -> None:
    user = await people.person(desk)
    mark = known_device.mark(desk.tools, user.id)
    outcomes = [
        await _try(desk, Attempt(ADA, WRONG, device=mark)) for _ in range(limits.KNOWN_DEVICE_GUESSES.count + 1)
    ]
    assert isinstance(outcomes[-1], TooMany)
    assert isinstance(await _try(desk, Attempt(ADA, PASSWORD)), SignedIn)


async def test_a_session_in_hand_ends_when_somebody_signs_in(desk: Desk) -> None:
    await people.person(desk, "eve@example.test")
    await people.person(desk)
    planted = await login.sign_in(desk, Attempt("eve@example.test", PASSWORD))
    assert isinstance(planted, SignedIn)
    entered = await login.sign_in(desk, Attempt(ADA, PASSWORD, presented=planted.started.token))
    assert isinstance(entered, SignedIn)
    assert entered.started.token != planted.started.token
    async with desk.begin() as work:
        found = await sessions.present(work.session, digest(planted.started.token), work.now)
    assert found.session is not None
    assert found.session.ended_at is not None


async def test_the_oldest_session_makes_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_session, "MAX_SESSIONS", 3)
    await people.person(desk)
    entered = [await people.identity(desk) for _ in range(4)]
    living = await people.rows(desk, "SELECT id FROM sessions WHERE ended_at IS NULL ORDER BY created_at")
    assert [row.id for row in living] == [who.session.id for who in entered[1:]]


async def test_an_old_hash_is_made_anew_at_sign_in(desk: Desk) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    user = await people.person(desk, password=None)
    async with desk.begin() as work:
        await passwords.put(work.session, user.id, weak, work.now)
    await people.identity(desk)
    async with desk.begin() as work:
        kept = await passwords.adopted(work.session, user.id)
    assert kept is not None
    assert "m=19456" in kept
    await people.identity(desk)


async def test_a_password_replaced_during_the_check_opens_nothing(desk: Desk) -> None:
    user = await people.person(desk)
    attempt = Attempt(ADA, PASSWORD)
    challenge = await login.ask(desk, attempt)
    checked = await login.check(desk.tools, challenge, PASSWORD)
    async with desk.begin() as work:
        await passwords.put(work.session, user.id, await people.hashed(desk.tools, OTHER), work.now)
    assert await login.settle(desk, challenge, attempt, checked) == Refused()


async def test_an_account_locked_during_the_check_stays_shut(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await people.person(desk)
    attempt = Attempt(ADA, PASSWORD)
    challenge = await login.ask(desk, attempt)
    checked = await login.check(desk.tools, challenge, PASSWORD)
    await _as_superuser(desk, ADA, "locked_at", monkeypatch)
    assert await login.settle(desk, challenge, attempt, checked) == Refused()


async def test_remembering_makes_the_session_live_longer(desk: Desk) -> None:
    await people.person(desk)
    attempt = Attempt(ADA, PASSWORD)
    short, long = await login.sign_in(desk, attempt), await login.sign_in(desk, replace(attempt, remember=True))
    assert isinstance(short, SignedIn)
    assert isinstance(long, SignedIn)
    assert long.started.identity.session.expires_at - short.started.identity.session.expires_at > (
        desk.tools.lifetime(remember=False).absolute
    )
