"""Whatever is done to an account, its owner learns of the step before: no act calls a warning back."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from ostiary_admin.flows import locks, people
from ostiary_admin.tools import AdminWork
from ostiary_shared import clock
from ostiary_shared.models import Message
from ostiary_shared.store import messages
from ostiary_shared.store.messages import Kind
from tests.admin.conftest import Desk

ACTS: dict[str, Callable[[AdminWork, UUID], Awaitable[object]]] = {
    "edit": lambda work, who: people.edit(work, who, email="attacker@example.test"),
    "lock": lambda work, who: locks.lock(work, who, "because"),
    "delete": lambda work, who: locks.delete(work, who, "because"),
}


@pytest.mark.parametrize("act", ACTS)
async def test_links_are_given_up_and_warnings_stay(desk: Desk, act: str) -> None:
    actor = await desk.person("boss@example.test", "admin")
    victim = await desk.person("victim@example.test", "end-user")
    async with desk.rows.begin() as session:
        for kind in Kind:
            await messages.queue(session, messages.Draft(kind, "victim@example.test", victim), clock.now())
    async with desk.acting(actor) as work:
        await ACTS[act](work, victim)
    async with desk.rows() as session:
        left = set(await session.scalars(select(Message.kind).where(Message.dropped_at.is_(None))))
    assert {Kind.PASSWORD_CHANGED, Kind.EMAIL_CHANGED} <= left
    assert not left & {Kind.CONFIRM, Kind.RECOVER, Kind.INVITE, Kind.CHANGE_EMAIL}


async def test_two_changes_of_an_address_tell_both_old_ones(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    victim = await desk.person("first@example.test", "end-user")
    for email in ("second@example.test", "third@example.test"):
        async with desk.acting(actor) as work:
            await people.edit(work, victim, email=email)
    async with desk.rows() as session:
        told = await session.scalars(
            select(Message.email).where(Message.kind == Kind.EMAIL_CHANGED, Message.dropped_at.is_(None))
        )
        assert set(told) == {"first@example.test", "second@example.test"}
