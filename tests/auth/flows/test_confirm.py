"""Confirming an address: once, by its own link or code, with its own sign-up's password."""

import asyncio
from datetime import timedelta

import pytest

from ostiary_auth import limits
from ostiary_auth.flows import confirm, login, signup
from ostiary_auth.flows.confirm import AlreadyConfirmed, Confirmation, Confirmed, Live, Outcome
from ostiary_auth.flows.login import Attempt, SignedIn
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.signup import Wish
from ostiary_auth.tools import Desk
from ostiary_shared import clock
from ostiary_shared.errors import TooMany
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.people import ADA, HERE, PASSWORD, Mailed


async def _confirm(desk: Desk, proof: Proof) -> Outcome:
    return await confirm.confirm(desk, Confirmation(proof, HERE))


async def _signed_up(desk: Desk, password: str = PASSWORD) -> Mailed:
    await signup.sign_up(desk, Wish(ADA, password, "", HERE))
    (mail,) = await people.rows(desk, "SELECT user_id, subject FROM messages ORDER BY created_at DESC LIMIT 1")
    return Mailed(mail.user_id, ADA, mail.subject)


@pytest.mark.parametrize("by", [0, 1])
async def test_link_and_code_both_confirm_and_neither_signs_in(desk: Desk, by: int) -> None:
    proof = (await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk)))[by]
    done = await _confirm(desk, proof)
    assert isinstance(done, Confirmed)
    assert done.email == ADA
    assert await people.count(desk, "sessions") == 0
    assert isinstance(await login.sign_in(desk, Attempt(ADA, PASSWORD)), SignedIn)


async def test_of_fifty_uses_at_once_one_succeeds(desk: Desk) -> None:
    link, _ = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    outcomes = await asyncio.gather(*(_confirm(desk, link) for _ in range(50)))
    assert [type(outcome) for outcome in outcomes].count(Confirmed) == 1
    assert await people.rows(desk, "SELECT count(*) FROM audit_events WHERE event = 'user:email:confirmed'") == [(1,)]


async def test_looking_at_a_link_does_not_use_it_up(desk: Desk) -> None:
    link, _ = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    for _ in range(5):
        async with desk.begin() as work:
            assert await confirm.look(work, link.token, HERE) == Live(ADA, asks_password=False)
    assert isinstance(await _confirm(desk, link), Confirmed)
    async with desk.begin() as work:
        assert await confirm.look(work, link.token, HERE) == AlreadyConfirmed()
    assert await _confirm(desk, link) == AlreadyConfirmed()


async def test_once_confirmed_no_other_link_does_anything(desk: Desk) -> None:
    to = await _signed_up(desk)
    link, _ = await people.sent(desk, Purpose.CONFIRM, to)
    await people.sent(desk, Purpose.CONFIRM, to)
    assert isinstance(await _confirm(desk, link), Confirmed)
    assert (
        await people.rows(desk, "SELECT 1 FROM one_time_tokens WHERE consumed_at IS NULL AND voided_at IS NULL") == []
    )
    late, _ = await people.sent(desk, Purpose.CONFIRM, to)
    assert await _confirm(desk, late) == Dead()


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.CONFIRM])
async def test_a_secret_for_something_else_confirms_nothing(desk: Desk, purpose: Purpose) -> None:
    for proof in await people.sent(desk, purpose, await _signed_up(desk)):
        assert await _confirm(desk, proof) == Dead()


async def test_an_old_link_is_dead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    link, code = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    later = clock.now() + timedelta(hours=24)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await _confirm(desk, link) == await _confirm(desk, code) == Dead()


async def test_a_link_confirms_no_other_address_than_the_one_it_went_to(desk: Desk) -> None:
    to = await _signed_up(desk)
    link, _ = await people.sent(desk, Purpose.CONFIRM, Mailed(to.user_id, "elsewhere@example.test", to.subject))
    assert await _confirm(desk, link) == Dead()


async def test_codes_cannot_be_guessed_for_long(desk: Desk) -> None:
    _, code = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    for number in range(limits.CODE_GUESSES.count):
        assert await _confirm(desk, Proof("", ADA.upper() if number % 2 else ADA, f"WRONG{number}")) == Dead()
    with pytest.raises(TooMany):
        await _confirm(desk, code)


async def test_a_code_may_be_typed_in_any_case_with_dashes_and_look_alikes(desk: Desk) -> None:
    _, code = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    typed = f"{code.code[:4].lower()} - {code.code[4:].replace('0', 'o').replace('1', 'l')}"
    assert isinstance(await _confirm(desk, Proof("", ADA.upper(), typed)), Confirmed)


async def test_a_code_of_one_address_opens_nothing_for_another(desk: Desk) -> None:
    _, code = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    assert await _confirm(desk, Proof("", "eve@example.test", code.code)) == Dead()


async def test_nothing_that_works_is_kept_in_clear(desk: Desk) -> None:
    from ostiary_auth.flows.login import sign_in

    link, code = await people.sent(desk, Purpose.CONFIRM, await _signed_up(desk))
    await _confirm(desk, link)
    entered = await sign_in(desk, Attempt(ADA, PASSWORD))
    assert isinstance(entered, SignedIn)
    names = [
        row.tablename for row in await people.rows(desk, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    dump = "\n".join([str(await people.rows(desk, f"SELECT t::text FROM {name} t")) for name in names])
    hexed = [secret.encode().hex() for secret in (link.token, entered.started.token, code.code, PASSWORD)]
    for secret in (link.token, entered.started.token, code.code, PASSWORD, *hexed):
        assert secret not in dump
    assert str(entered.started.identity.id) in dump
