"""What ends with a password or an address: every link that went out, and every one that would still have gone."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, cast

import pytest

from ostiary_auth.flows import change_email, change_password, check_password, confirm, one_time, reset, set_password
from ostiary_auth.flows.confirm import Confirmation
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.reset import RECOVER, Reset
from ostiary_auth.mail import delivery
from ostiary_auth.mail.delivery import Office
from ostiary_auth.mail.errand import Letterhead
from ostiary_auth.tools import Desk
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.identity import Identity
from ostiary_shared.models import User
from ostiary_shared.store import messages, users
from ostiary_shared.store.messages import NOTICES, SECRETS, Draft, Kind
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, Mailed

BOSS = "boss@example.test"


async def _reset(desk: Desk, user: User) -> None:
    link, _ = await people.sent(desk, RECOVER, Mailed(user.id))
    assert isinstance(await reset.reset(desk, Reset(RECOVER, link, OTHER)), reset.Renewed)


async def _change(desk: Desk, _user: User) -> None:
    who = await people.identity(desk)
    assert isinstance(await change_password.change(desk, who, PASSWORD, OTHER), change_password.Changed)


async def _set(desk: Desk, user: User) -> None:
    await people.person(desk, BOSS, role="admin")
    await set_password.set_password(desk, await people.identity(desk, BOSS), user.id, OTHER)


async def _move(desk: Desk, user: User) -> None:
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, "new@example.test"))
    async with desk.begin() as work:
        assert isinstance(await change_email.confirm(work, link, None), change_email.Moved)


@pytest.mark.parametrize("act", [_reset, _change, _set, _move])
async def test_mails_that_would_bring_a_link_are_given_up_and_notices_are_not(
    desk: Desk, act: Callable[[Desk, User], Awaitable[None]]
) -> None:
    user = await people.person(desk)
    async with desk.begin() as work:
        promised = {kind: await messages.queue(work.session, Draft(kind, ADA, user.id), work.now) for kind in Kind}
    await act(desk, user)
    dropped = {row.id for row in await people.rows(desk, "SELECT id FROM messages WHERE dropped_at IS NOT NULL")}
    assert {kind for kind, id_ in promised.items() if id_ in dropped} == SECRETS
    assert NOTICES.isdisjoint(SECRETS)


async def test_asking_for_another_address_gives_up_the_mail_to_the_one_before(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    for email in ("mistyped@example.test", "right@example.test"):
        await change_email.ask(desk, who, email, PASSWORD)
    waiting = await people.rows(desk, "SELECT email FROM messages WHERE dropped_at IS NULL")
    assert waiting == [("right@example.test",)]


async def test_a_password_replaced_meanwhile_asks_for_no_other_address(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await people.person(desk)
    who = await people.identity(desk)
    checked = check_password.check

    async def and_then_replaced(at: Desk, asked: Identity, typed: str) -> str | None:
        right = await checked(at, asked, typed)
        await _reset(desk, user)
        return right

    monkeypatch.setattr(check_password, "check", and_then_replaced)
    assert await change_email.ask(desk, who, "eve@example.test", PASSWORD) == change_password.WrongPassword()
    assert await people.rows(desk, "SELECT 1 FROM messages WHERE kind = 'change-email'") == []


async def test_a_courier_with_the_mail_in_hand_mints_nothing_for_a_password_that_is_being_replaced(
    desk: Desk, sessions: Sessions
) -> None:
    user = await people.person(desk)
    async with desk.begin() as work:
        await messages.queue(work.session, Draft(Kind.RECOVER, ADA, user.id), work.now)
    async with sessions.begin() as session:
        (row,) = await messages.claim(session, clock.now(), hold=timedelta(minutes=5), limit=1)
    letterhead = Letterhead(desk.tools.settings, desk.tools.code_key)
    office = cast("Any", Office)(letterhead, sessions, None, None, "localhost", asyncio.Event())
    async with desk.begin() as work:
        await users.hold_alone(work.session, user.id)
        minting = asyncio.create_task(delivery._try(office, cast("Any", None), row))
        await asyncio.sleep(0.2)
        await messages.drop(work.session, user.id, work.now, "The password was replaced meanwhile.")
    assert await minting is None
    assert await people.count(desk, "one_time_tokens") == 0


async def _settle_reset(desk: Desk, proof: Proof) -> object:
    async with desk.begin() as work:
        return await reset.settle(work, Reset(RECOVER, proof, await people.hashed(desk.tools, OTHER)))


async def _settle_confirm(desk: Desk, proof: Proof) -> object:
    async with desk.begin() as work:
        return await confirm.settle(work, Confirmation(proof, people.HERE))


async def _settle_move(desk: Desk, proof: Proof) -> object:
    async with desk.begin() as work:
        return await change_email.confirm(work, proof, None)


@pytest.mark.parametrize("by", [0, 1])
@pytest.mark.parametrize(
    ("purpose", "use"),
    [(RECOVER, _settle_reset), (Purpose.CONFIRM, _settle_confirm), (Purpose.CHANGE_EMAIL, _settle_move)],
)
async def test_using_a_link_and_ending_it_at_the_same_moment_take_turns(
    desk: Desk, purpose: Purpose, use: Callable[[Desk, Proof], Coroutine[Any, Any, object]], by: int
) -> None:
    user = await people.person(desk, confirmed=purpose is not Purpose.CONFIRM)
    proof = (await people.sent(desk, purpose, Mailed(user.id)))[by]
    async with desk.begin() as work:
        await users.hold_alone(work.session, user.id)
        using = asyncio.create_task(use(desk, proof))
        await asyncio.sleep(0.2)
        await one_time.end_all(work, user.id, "The password was changed meanwhile.")
    assert await using == Dead()
