"""Another address: confirmed at the new one, announced at the old one, and nobody learns which ones are taken."""

import asyncio

import pytest

from ostiary_auth.flows import change_email
from ostiary_auth.flows.change_email import Asked, Moved
from ostiary_auth.flows.change_password import WrongPassword
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.tools import Desk
from ostiary_shared.errors import Conflict, Invalid
from ostiary_shared.identity import Identity
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.people import ADA, PASSWORD, WRONG, Mailed

NEW = "countess@example.test"


async def _confirm(desk: Desk, proof: Proof, who: Identity | None = None) -> Moved | Dead:
    async with desk.begin() as work:
        return await change_email.confirm(work, proof, who)


async def test_asking_changes_nothing_but_promises_a_mail_to_the_new_address(desk: Desk) -> None:
    user = await people.person(desk)
    who = await people.identity(desk)
    assert await change_email.ask(desk, who, "Countess@EXAMPLE.test", PASSWORD) == Asked("Countess@example.test")
    assert await people.rows(desk, "SELECT kind, email, user_id FROM messages") == [
        ("change-email", "Countess@example.test", user.id)
    ]
    assert await people.rows(desk, "SELECT email FROM users") == [(ADA,)]


async def test_a_taken_address_gets_no_mail_and_the_asker_does_not_learn_that(desk: Desk) -> None:
    await people.person(desk)
    await people.person(desk, NEW)
    who = await people.identity(desk)
    grown = []
    for email in (NEW, "free@example.test"):
        before = await people.tables(desk)
        assert await change_email.ask(desk, who, email, PASSWORD) == Asked(email)
        after = await people.tables(desk)
        grown.append({name: after[name] - before[name] for name in ("messages", "audit_events", "one_time_tokens")})
    assert grown[0] == grown[1]
    known = await people.rows(desk, "SELECT user_id IS NOT NULL FROM messages ORDER BY created_at")
    assert known == [(False,), (True,)]


async def test_asking_needs_the_password_and_another_address(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    assert await change_email.ask(desk, who, NEW, WRONG) == WrongPassword()
    with pytest.raises(Invalid):
        await change_email.ask(desk, who, ADA.upper(), PASSWORD)
    assert await people.count(desk, "messages") == 0


@pytest.mark.parametrize("by", [0, 1])
async def test_confirming_moves_the_account_tells_the_old_address_and_ends_other_sessions(desk: Desk, by: int) -> None:
    user = await people.person(desk)
    who, _ = await people.identity(desk), await people.identity(desk)
    await people.sent(desk, Purpose.RECOVER, Mailed(user.id))
    proof = (await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, NEW)))[by]
    assert await _confirm(desk, proof, who) == Moved(NEW)
    assert await people.rows(desk, "SELECT email FROM users") == [(NEW,)]
    assert await people.rows(desk, "SELECT kind, email FROM messages") == [("email-changed", ADA)]
    assert await people.rows(desk, "SELECT id FROM sessions WHERE ended_at IS NULL") == [(who.session.id,)]
    assert (
        await people.rows(desk, "SELECT 1 FROM one_time_tokens WHERE consumed_at IS NULL AND voided_at IS NULL") == []
    )
    await people.identity(desk, NEW)


async def test_of_many_uses_at_once_one_succeeds(desk: Desk) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, NEW))
    outcomes = await asyncio.gather(*(_confirm(desk, link) for _ in range(20)))
    assert outcomes.count(Moved(NEW)) == 1


async def test_a_link_confirms_the_address_it_went_to_whatever_was_asked_for_since(desk: Desk) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, NEW))
    await change_email.ask(desk, await people.identity(desk), "victim@example.test", PASSWORD)
    assert await _confirm(desk, link) == Dead()
    assert await people.rows(desk, "SELECT email FROM users") == [(ADA,)]


async def test_an_address_taken_meanwhile_is_not_taken_twice(desk: Desk) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, NEW))
    await people.person(desk, NEW.upper())
    with pytest.raises(Conflict):
        await _confirm(desk, link)


async def test_somebody_elses_session_is_not_spared(desk: Desk) -> None:
    user = await people.person(desk)
    await people.person(desk, "eve@example.test")
    await people.identity(desk)
    eve = await people.identity(desk, "eve@example.test")
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, NEW))
    assert await _confirm(desk, link, eve) == Moved(NEW)
    assert await people.rows(desk, "SELECT id FROM sessions WHERE ended_at IS NULL") == [(eve.session.id,)]
