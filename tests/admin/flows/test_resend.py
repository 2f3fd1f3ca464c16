"""Sending a mail again is sending one anew: it takes the same permission, and only what still counts is sent."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

from ostiary_admin.flows import locks, mail, people
from ostiary_admin.flows.authority import AboveYou
from ostiary_shared import clock
from ostiary_shared.errors import Conflict
from ostiary_shared.models import Message, User
from ostiary_shared.permissions import Permission
from ostiary_shared.store import messages, roles
from ostiary_shared.store.messages import Kind
from tests.admin.conftest import Desk

TAKES = {
    Kind.RECOVER: Permission.USERS_RECOVER,
    Kind.INVITE: Permission.USERS_CREATE,
    Kind.CONFIRM: Permission.USERS_UPDATE,
}


async def queued(desk: Desk, kind: Kind, user_id: UUID, state: str = "sent_at") -> UUID:
    now = clock.now()
    async with desk.rows.begin() as session:
        user = await session.get(User, user_id)
        assert user is not None
        message = await messages.queue(session, messages.Draft(kind, user.email, user_id), now)
        if state:
            await session.execute(update(Message).where(Message.id == message).values({state: now}))
    return message


async def role(desk: Desk, name: str, *permissions: Permission) -> str:
    async with desk.rows.begin() as session:
        await roles.add(session, name, "", frozenset(permissions))
    return name


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_mail_takes_what_sending_one_anew_takes(desk: Desk, kind: Kind) -> None:
    low = await desk.person("low@example.test", await role(desk, "low", Permission.MESSAGES_RESEND))
    both = {Permission.MESSAGES_RESEND, TAKES.get(kind, Permission.MESSAGES_READ)}
    high = await desk.person("high@example.test", await role(desk, "high", *both))
    target = await desk.person("target@example.test", "end-user", confirmed=False)
    message = await queued(desk, kind, target)
    assert mail.may_resend(kind, frozenset({Permission.MESSAGES_RESEND})) is (kind not in messages.SECRETS)
    assert mail.may_resend(kind, frozenset(both)) is (kind is not Kind.CHANGE_EMAIL)
    assert not mail.may_resend(kind, frozenset(TAKES.values()))
    if kind in TAKES:
        with pytest.raises(AboveYou, match=TAKES[kind]):
            async with desk.acting(low) as work:
                await mail.resend(work, message)
    if kind is Kind.CHANGE_EMAIL:
        with pytest.raises(Conflict, match="Only the person"):
            async with desk.acting(high) as work:
                await mail.resend(work, message)
        return
    async with desk.acting(high) as work:
        await mail.resend(work, message)
    async with desk.rows() as session:
        assert len(list(await session.scalars(select(Message.id).where(Message.kind == kind)))) == 2


async def test_what_was_given_up_is_not_brought_back(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("target@example.test", "end-user", confirmed=False)
    message = await queued(desk, Kind.RECOVER, target, "")
    async with desk.acting(actor) as work:
        await locks.lock(work, target, "because")
        await locks.unlock(work, target)
    with pytest.raises(Conflict, match="given up on purpose: the account was locked"):
        async with desk.acting(actor) as work:
            await mail.resend(work, message)


async def test_a_link_that_a_newer_one_has_replaced_is_not_sent_again(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("target@example.test", "end-user", confirmed=False)
    older, newer = await queued(desk, Kind.RECOVER, target), await queued(desk, Kind.RECOVER, target)
    await queued(desk, Kind.RECOVER, target, "dropped_at")
    await queued(desk, Kind.INVITE, target)
    with pytest.raises(Conflict, match="newer mail"):
        async with desk.acting(actor) as work:
            await mail.resend(work, older)
    async with desk.acting(actor) as work:
        await mail.resend(work, newer)
    with pytest.raises(Conflict, match="newer mail"):
        async with desk.acting(actor) as work:
            await mail.resend(work, newer)


async def test_no_link_goes_to_an_address_that_was_left_or_after_it_was_used(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("target@example.test", "end-user", confirmed=False)
    mails = {kind: await queued(desk, kind, target) for kind in (Kind.RECOVER, Kind.INVITE, Kind.CONFIRM)}
    async with desk.acting(actor) as work:
        await people.confirm(work, target)
    for kind in (Kind.INVITE, Kind.CONFIRM):
        with pytest.raises(Conflict, match="confirmed the address already"):
            async with desk.acting(actor) as work:
                await mail.resend(work, mails[kind])
    async with desk.acting(actor) as work:
        await people.edit(work, target, email="other@example.test")
    with pytest.raises(Conflict, match="another address by now"):
        async with desk.acting(actor) as work:
            await mail.resend(work, mails[Kind.RECOVER])
