"""However administrators act on one another at the same moment, one of them stays."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from ostiary_admin.flows import grants, locks
from ostiary_admin.flows.authority import AboveYou
from ostiary_admin.tools import AdminWork
from ostiary_shared.database import broken_constraint
from ostiary_shared.errors import NotFound
from ostiary_shared.store import roles
from tests.admin.conftest import Console, Desk

ROUNDS = 8
Act = Callable[[AdminWork, UUID], Awaitable[object]]


async def attempt(desk: Desk, actor: UUID, target: UUID, act: Act) -> str:
    try:
        async with desk.acting(actor) as work:
            await act(work, target)
    except (NotFound, AboveYou) as error:
        return type(error).__name__
    except DBAPIError as error:
        return broken_constraint(error) or repr(error)
    return "done"


@pytest.mark.parametrize("how", ["revoke", "lock", "delete"])
async def test_administrators_who_shut_each_other_out_leave_one(desk: Desk, how: str) -> None:
    acts: dict[str, Act] = {
        "revoke": lambda work, who: grants.revoke(work, who, "admin"),
        "lock": lambda work, who: locks.lock(work, who, "because"),
        "delete": lambda work, who: locks.delete(work, who, "because"),
    }
    left: list[UUID] = []
    for number in range(ROUNDS):
        one, two = [await desk.person(f"{how}{number}{who}@example.test", "admin") for who in "ab"]
        everybody = [one, two, *left]
        ring = list(zip(everybody, [*everybody[1:], everybody[0]], strict=True))
        said = await asyncio.gather(*(attempt(desk, actor, target, acts[how]) for actor, target in ring))
        assert set(said) <= {"done", "NotFound", "AboveYou", "at_least_one_admin"}, said
        async with desk.rows() as session:
            assert await roles.usable_admins(session) >= 1
        left = [await _somebody(desk)]


async def _somebody(desk: Desk) -> UUID:
    from sqlalchemy import select

    from ostiary_shared.models import Role, RoleGrant, User

    async with desk.rows() as session:
        found = await session.scalar(
            select(User.id)
            .join(RoleGrant, RoleGrant.user_id == User.id)
            .join(Role, Role.id == RoleGrant.role_id)
            .where(
                Role.name == "admin", RoleGrant.ended_at.is_(None), User.locked_at.is_(None), User.deleted_at.is_(None)
            )
        )
    assert found is not None
    return found


async def test_the_last_administrator_is_told_so_on_the_page_and_by_json(console: Console) -> None:
    headers = await console.enter("admin", email="only@example.test")
    me = next(iter(console.auth.people.values()))
    sent = await console.client.post(f"/admin/users/{me}/grants/admin/revoke", headers=headers, form={})
    assert sent.status_code == 303
    page = await console.client.get(sent.headers["Location"], headers=headers)
    assert "nobody who can administer Ostiary" in await page.get_data(as_text=True)
    grant = (await (await console.client.get("/admin/api/v1/grants?role=admin", headers=headers)).get_json())["items"][
        0
    ]
    answer = await console.client.delete(f"/admin/api/v1/grants/{grant['id']}", headers=headers)
    assert answer.status_code == 409
    assert "nobody who can administer" in (await answer.get_json())["detail"]
