"""Whoever readdresses an account can recover it, and nobody does themselves a favour."""

from uuid import UUID

import pytest

from ostiary_admin.flows import grants, people
from ostiary_admin.flows.authority import AboveYou
from ostiary_shared import clock
from ostiary_shared.access import Check
from ostiary_shared.errors import Conflict
from ostiary_shared.permissions import Permission
from ostiary_shared.store import roles, users
from tests.admin.conftest import Desk

EDITS = {Permission.USERS_READ, Permission.USERS_UPDATE}
CUSTOM = {
    "editor": EDITS,
    "setter": EDITS | {Permission.USERS_SET_PASSWORD},
    "grantor": {Permission.USERS_READ, Permission.GRANTS_WRITE},
    "site-role": set[Permission](),
}


@pytest.fixture
async def house(desk: Desk) -> Desk:
    async with desk.rows.begin() as session:
        for name, permissions in CUSTOM.items():
            await roles.add(session, name, "", frozenset(permissions))
    return desk


async def email_of(desk: Desk, user_id: UUID) -> str:
    async with desk.rows() as session:
        user = await users.get(session, user_id)
    assert user is not None
    return user.email


async def test_an_address_takes_the_permission_to_set_a_password_too(house: Desk) -> None:
    target = await house.person("theirs@example.test", "end-user")
    editor, setter = await house.person("e@example.test", "editor"), await house.person("s@example.test", "setter")
    async with house.acting(editor) as work:
        assert await people.edit(work, target, email="theirs@example.test", name="Changed")
    for act in (people.edit, people.check_edit):
        with pytest.raises(AboveYou, match="changing an e-mail address takes users:set-password") as raised:
            async with house.acting(editor) as work:
                await act(work, target, email="mine@example.test")
        assert raised.value.decision.remedy is not None
        assert raised.value.decision.remedy.value == "users:set-password"
    assert await email_of(house, target) == "theirs@example.test"
    async with house.acting(setter) as work:
        assert await people.edit(work, target, email="better@example.test")
    assert await email_of(house, target) == "better@example.test"


@pytest.mark.parametrize("role", ["setter", "admin"])
async def test_ones_own_address_and_password_are_not_changed_in_the_console(house: Desk, role: str) -> None:
    me = await house.person("me@example.test", role)
    for email in ("other@example.test", "Me@example.test"):
        with pytest.raises(Conflict, match="account page"):
            async with house.acting(me) as work:
                await people.edit(work, me, email=email, name="Changed")
    with pytest.raises(Conflict, match="account page"):
        async with house.acting(me) as work:
            await people.check_edit(work, me, None)
    async with house.acting(me) as work:
        assert await people.edit(work, me, email="me@example.test", name="My name")
    assert await email_of(house, me) == "me@example.test"


async def test_only_an_admin_gives_a_role_to_themselves(house: Desk) -> None:
    grantor, admin = await house.person("g@example.test", "grantor"), await house.person("a@example.test", "admin")
    with pytest.raises(AboveYou, match="giving a role to oneself") as raised:
        async with house.acting(grantor) as work:
            await grants.give(work, grants.Gift(grantor, "site-role", "I would like to"))
    assert raised.value.decision.cause is Check.ROLE
    assert raised.value.decision.remedy is None
    async with house.rows() as session:
        assert [held.name for held in await users.held_roles(session, grantor, clock.now())] == ["grantor"]
    other = await house.person("o@example.test", "end-user")
    for actor, taker in ((grantor, other), (admin, grantor), (admin, admin)):
        async with house.acting(actor) as work:
            assert await grants.give(work, grants.Gift(taker, "site-role", "asked for"))


async def test_an_address_with_a_percent_sign_is_refused_in_words_like_any_other(house: Desk) -> None:
    editor, high = await house.person("e@example.test", "editor"), await house.person("50%d@example.test", "admin")
    with pytest.raises(AboveYou, match=r"50%d@example\.test comes with"):
        async with house.acting(editor) as work:
            await people.edit(work, high, name="x")
