"""Two clicks, two tabs, two administrators: each act is done once and written down once."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select

from ostiary_admin.flows import grants, locks, people, roles, rules, sessions, sites
from ostiary_admin.flows.people import Wanted
from ostiary_admin.queries import sites as site_queries
from ostiary_shared import clock
from ostiary_shared.errors import Conflict, Invalid, NotFound
from ostiary_shared.models import AuditEvent, Role, RoleGrant, User
from ostiary_shared.store import messages, one_time_tokens
from ostiary_shared.store.one_time_tokens import Issue, Purpose
from tests.admin.conftest import Desk


async def count_of(desk: Desk, event: str) -> int:
    async with desk.rows() as session:
        return await session.scalar(select(func.count()).where(AuditEvent.event == event)) or 0


async def test_ten_clicks_on_lock_lock_once(desk: Desk) -> None:
    actors = [await desk.person(f"boss{number}@example.test", "admin") for number in range(3)]
    target = await desk.person("target@example.test", "end-user")

    async def click(number: int) -> bool:
        async with desk.acting(actors[number % 3]) as work:
            return await locks.lock(work, target, f"click {number}")

    assert sum(await asyncio.gather(*(click(number) for number in range(10)))) == 1
    assert await count_of(desk, "admin:user:locked") == 1


async def test_ten_grants_of_one_role_give_it_once_and_ten_revokes_take_it_once(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("target@example.test", "end-user")

    async def give() -> bool:
        async with desk.acting(actor) as work:
            return await grants.give(work, grants.Gift(target, "support", "because"))

    async def take() -> bool:
        async with desk.acting(actor) as work:
            return await grants.revoke(work, target, "support")

    assert sum(await asyncio.gather(*(give() for _ in range(10)))) == 1
    assert sum(await asyncio.gather(*(take() for _ in range(10)))) == 1
    assert await count_of(desk, "admin:grant:given") == await count_of(desk, "admin:grant:ended") == 1


async def test_ten_creations_of_one_address_make_one_person_and_one_invitation(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")

    async def create(number: int) -> bool:
        try:
            async with desk.acting(actor) as work:
                await people.create(work, Wanted("GRACE@example.test" if number % 2 else "grace@example.test"))
        except Invalid:
            return False
        return True

    assert sum(await asyncio.gather(*(create(number) for number in range(10)))) == 1
    async with desk.rows() as session:
        assert await session.scalar(select(func.count()).where(func.lower(User.email) == "grace@example.test")) == 1
    assert await count_of(desk, "admin:invitation:sent") == 1


async def test_a_role_is_never_deleted_under_a_grant_of_the_same_moment(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    for number in range(8):
        target = await desk.person(f"target{number}@example.test", "end-user")
        name = f"short-lived-{number}"
        async with desk.acting(actor) as work:
            await roles.create(work, roles.Definition(name, "", frozenset()))

        async def give(name: str = name, target: UUID = target) -> bool:
            try:
                async with desk.acting(actor) as work:
                    return await grants.give(work, grants.Gift(target, name, "because"))
            except Conflict:
                return False

        async def delete(name: str = name) -> bool:
            try:
                async with desk.acting(actor) as work:
                    await roles.delete(work, name)
            except (Conflict, NotFound):
                return False
            return True

        given, deleted = await asyncio.gather(give(), delete())
        assert given is not deleted
        async with desk.rows() as session:
            held = await session.scalar(
                select(func.count())
                .select_from(RoleGrant)
                .join(Role, Role.id == RoleGrant.role_id)
                .where(Role.name == name)
            )
        assert held == given


async def test_a_role_that_was_held_once_can_be_deleted(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("target@example.test", "end-user")
    async with desk.acting(actor) as work:
        await roles.create(work, roles.Definition("editor", "", frozenset()))
        await grants.give(work, grants.Gift(target, "editor", "because"))
        await grants.revoke(work, target, "editor")
    async with desk.acting(actor) as work:
        await roles.delete(work, "editor")
    assert await count_of(desk, "admin:role:deleted") == 1


async def test_a_role_that_a_site_asks_for_stays_until_the_rule_is_changed(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    async with desk.acting(actor) as work:
        await roles.create(work, roles.Definition("editor", "", frozenset()))
        wanted = sites.Wanted("The Gazette", "gazette.example.test", (rules.Rule("/", (), "role", "editor"),))
        site_id = await sites.create(work, wanted)
    with pytest.raises(Conflict, match="rules of The Gazette ask for the role editor"):
        async with desk.acting(actor) as work:
            await roles.delete(work, "editor")
    async with desk.acting(actor) as work:
        await sites.change(work, site_id, sites.Wanted("The Gazette", "gazette.example.test", ()))
        await roles.delete(work, "editor")


async def test_a_new_address_ends_sessions_links_and_mails_and_tells_the_old_one(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("old@example.test", "end-user")
    now = clock.now()
    async with desk.rows.begin() as session:
        await one_time_tokens.issue(
            session, Issue(Purpose.RECOVER, b"t" * 32, user_id=target, email="old@example.test"), now
        )
        await messages.queue(session, messages.Draft(messages.Kind.RECOVER, "old@example.test", target), now)
    async with desk.acting(actor) as work:
        assert await people.edit(work, target, email="new@example.test")
    async with desk.rows() as session:
        assert await one_time_tokens.peek(session, Purpose.RECOVER, b"t" * 32, clock.now()) is None
        waiting = await messages.claim(session, clock.now(), hold=clock.now() - now, limit=10)
        assert [(row.kind, row.email) for row in waiting] == [("email-changed", "old@example.test")]
    async with desk.acting(actor) as work:
        assert not await people.edit(work, target, email="new@example.test", name="")


async def test_ending_sessions_of_somebody_who_is_gone_is_not_found(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    target = await desk.person("gone@example.test", "end-user")
    async with desk.acting(actor) as work:
        await locks.delete(work, target, "because")
    for act in (sessions.end_all, people.send_recovery, people.confirm, locks.unlock):
        try:
            async with desk.acting(actor) as work:
                await act(work, target)
        except NotFound:
            continue
        raise AssertionError(act)


async def test_two_sites_that_want_one_host_at_once_get_it_once(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    made = []
    for number in range(6):
        async with desk.acting(actor) as work:
            made.append(await sites.create(work, sites.Wanted("W", f"w{number}.test", ())))

    async def move(site_id: UUID) -> bool:
        try:
            async with desk.acting(actor) as work:
                return await sites.change(work, site_id, sites.Wanted("W", "wanted.test", ()))
        except Invalid:
            return False

    assert sum(await asyncio.gather(*map(move, made))) == 1
    assert await count_of(desk, "admin:site:updated") == 1


async def test_of_two_who_change_what_they_have_both_read_one_is_told(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    async with desk.acting(actor) as work:
        site_id = await sites.create(work, sites.Wanted("W", "w.test", ()))
    async with desk.acting(actor) as work:
        read = (await site_queries.get(work, site_id)).version

    async def change(path: str) -> bool:
        try:
            async with desk.acting(actor) as work:
                wanted = sites.Wanted("W", "w.test", (rules.Rule(path, (), "anyone"),))
                return await sites.change(work, site_id, wanted, read)
        except Conflict:
            return False

    assert sum(await asyncio.gather(*(change(f"/{number}/") for number in range(5)))) == 1
    assert await count_of(desk, "admin:site:updated") == 1
