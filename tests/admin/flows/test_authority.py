"""Nobody reaches above their own permissions: for every pair of roles and every act, by order of their permissions."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
from uuid import UUID

import pytest

from ostiary_admin.flows import authority, grants, locks, people, roles, sessions
from ostiary_admin.flows.authority import AboveYou
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.permissions import Permission
from ostiary_shared.store import roles as role_rows
from ostiary_shared.store import users
from tests.admin.conftest import Desk

CUSTOM = {
    "grantor": {Permission.USERS_READ, Permission.GRANTS_WRITE},
    "locker": {Permission.USERS_READ, Permission.USERS_LOCK, Permission.GRANTS_WRITE},
    "shaper": {Permission.ROLES_WRITE, Permission.ROLES_READ},
}
NAMES = ("admin", "support", "auditor", "end-user", *CUSTOM)
PAIRS = list(product(NAMES, NAMES))

Act = Callable[[AdminWork, UUID], Awaitable[object]]
ACTS: dict[str, Act] = {
    "edit": lambda work, who: people.edit(work, who, name="Changed"),
    "password": lambda work, who: people.check_edit(work, who, None),
    "confirm": people.confirm,
    "recover": people.send_recovery,
    "lock": lambda work, who: locks.lock(work, who, "because"),
    "unlock": locks.unlock,
    "delete": lambda work, who: locks.delete(work, who, "because"),
    "sessions": sessions.end_all,
    "revoke": lambda work, who: grants.revoke(work, who, "end-user"),
    "readdress": lambda work, who: people.edit(work, who, email=f"{who}@moved.test"),
    "give": lambda work, who: grants.give(work, grants.Gift(who, "end-user", "because")),
}
# What an act takes of its actor besides reaching as far as the person; the doors ask for the rest.
TAKES = {"readdress": Permission.USERS_SET_PASSWORD, "give": Permission.GRANTS_WRITE}


async def make_roles(desk: Desk) -> None:
    async with desk.rows.begin() as session:
        for name, permissions in CUSTOM.items():
            await role_rows.add(session, name, "", frozenset(permissions))


async def permissions_of(desk: Desk, user_id: UUID) -> set[str]:
    from ostiary_shared import clock

    async with desk.rows() as session:
        account = await users.account(session, user_id, clock.now())
    assert account is not None
    return set(account.permissions)


async def test_no_act_reaches_somebody_who_holds_more(desk: Desk) -> None:
    await make_roles(desk)
    await desk.person("spare@example.test", "admin")
    for number, (actor_role, target_role) in enumerate(PAIRS):
        actor = await desk.person(f"actor{number}@example.test", actor_role)
        target = await desk.person(f"target{number}@example.test", target_role)
        mine = await permissions_of(desk, actor)
        within = await permissions_of(desk, target) <= mine
        for name, act in ACTS.items():
            if not within or (name in TAKES and TAKES[name] not in mine):
                with pytest.raises(AboveYou):
                    async with desk.acting(actor) as work:
                        await act(work, target)
            elif name != "delete":
                async with desk.acting(actor) as work:
                    await act(work, target)


async def test_nobody_gives_or_makes_what_they_do_not_hold(desk: Desk) -> None:
    await make_roles(desk)
    for number, (actor_role, given) in enumerate(PAIRS):
        actor = await desk.person(f"giver{number}@example.test", actor_role)
        target = await desk.person(f"taker{number}@example.test")
        mine = await permissions_of(desk, actor)
        async with desk.rows() as session:
            row = await role_rows.find(session, given)
            assert row is not None
            wanted = set(await role_rows.permissions_of(session, row.id))
        may_give = Permission.GRANTS_WRITE in mine and wanted <= mine
        try:
            async with desk.acting(actor) as work:
                await grants.give(work, grants.Gift(target, given, "because"))
            assert may_give
        except AboveYou:
            assert not may_give
        assert await permissions_of(desk, target) <= (mine if may_give else set())
        definition = roles.Definition(f"made-{number}", "", frozenset(wanted))
        try:
            async with desk.acting(actor) as work:
                await roles.create(work, definition)
            assert wanted <= mine
        except AboveYou:
            assert not wanted <= mine


async def test_a_role_above_cannot_be_emptied_filled_or_deleted(desk: Desk) -> None:
    await make_roles(desk)
    shaper = await desk.person("shaper@example.test", "shaper")
    for change in (
        lambda work: roles.change(work, roles.Definition("support", "", frozenset())),
        lambda work: roles.change(work, roles.Definition("shaper", "", frozenset(Permission))),
        lambda work: roles.delete(work, "support"),
    ):
        with pytest.raises(AboveYou):
            async with desk.acting(shaper) as work:
                await change(work)


async def test_a_refusal_by_authority_names_the_missing_permissions(desk: Desk) -> None:
    actor = await desk.person("low@example.test", "support")
    target = await desk.person("high@example.test", "admin")
    with pytest.raises(AboveYou) as raised:
        async with desk.acting(actor) as work:
            await authority.person(work, target)
    decision = raised.value.decision
    assert "sites:write" in decision.steps[0].seen
    assert decision.account is not None
    assert decision.account.id == actor


async def test_a_locked_administrator_acts_no_more(desk: Desk) -> None:
    actor = await desk.person("was@example.test", "admin")
    other = await desk.person("other@example.test", "admin")
    async with desk.acting(other) as work:
        await locks.lock(work, actor, "because")
    with pytest.raises(NotFound):
        async with desk.acting(actor) as work:
            await locks.lock(work, other, "because")


async def test_creating_somebody_with_a_role_above_makes_nobody(desk: Desk) -> None:
    actor = await desk.person("creator@example.test", "support")
    with pytest.raises(AboveYou):
        async with desk.acting(actor) as work:
            await people.create(work, people.Wanted("new@example.test", roles=("admin",)))
    async with desk.rows() as session:
        assert await users.find(session, "new@example.test") is None


@pytest.mark.parametrize("act", ["revoke", "restore"])
async def test_an_act_waits_for_who_is_making_its_person_mightier(desk: Desk, act: str) -> None:
    acts: dict[str, Act] = {"revoke": lambda work, who: grants.revoke(work, who, "end-user"), "restore": locks.restore}
    actor, boss = await desk.person("low@example.test", "support"), await desk.person("boss@example.test", "admin")
    target = await desk.person("rising@example.test", "end-user")
    if act == "restore":
        async with desk.acting(boss) as work:
            await locks.delete(work, target, "because")

    async def reach_out() -> None:
        async with desk.acting(actor) as work:
            await acts[act](work, target)

    async with desk.acting(boss) as work:
        person = await authority.anybody(work, target)
        admin = await role_rows.find(work.session, "admin")
        assert admin is not None
        await role_rows.grant(work.session, role_rows.Grant(person.id, admin.id, "risen"), work.now)
        late = asyncio.create_task(reach_out())
        assert await asyncio.wait({late}, timeout=0.3) == (set(), {late})
    with pytest.raises(AboveYou):
        await late


async def test_a_role_is_taken_from_the_deleted_and_the_deleted_come_back(desk: Desk) -> None:
    boss, target = await desk.person("boss@example.test", "admin"), await desk.person("gone@example.test", "support")
    async with desk.acting(boss) as work:
        await locks.delete(work, target, "because")
    async with desk.acting(boss) as work:
        assert await grants.revoke(work, target, "support")
        assert await locks.restore(work, target)
        assert not await locks.restore(work, target)
