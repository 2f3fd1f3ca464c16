"""Setting somebody else's password: never above one's own permissions."""

from uuid import UUID

import pytest

from ostiary_auth.flows import login, set_password
from ostiary_auth.flows.login import Attempt, Refused, SignedIn
from ostiary_auth.tools import Desk
from ostiary_shared.errors import Conflict, Forbidden, Invalid, NotFound
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, Mailed

ROOT = "root@example.test"


async def test_an_administrator_sets_a_password_and_everything_older_ends(desk: Desk) -> None:
    user = await people.person(desk)
    await people.person(desk, ROOT, role="admin")
    await people.identity(desk)
    await people.sent(desk, Purpose.RECOVER, Mailed(user.id))
    root = await people.identity(desk, ROOT)
    await set_password.set_password(desk, root, user.id, OTHER)
    assert await login.sign_in(desk, Attempt(ADA, PASSWORD)) == Refused()
    assert await people.rows(desk, "SELECT user_id FROM sessions WHERE ended_at IS NULL") == [(root.id,)]
    assert await people.rows(desk, "SELECT 1 FROM one_time_tokens WHERE voided_at IS NULL") == []
    assert await people.rows(desk, "SELECT kind, email FROM messages") == [("password-changed", ADA)]
    assert (await people.rows(desk, "SELECT target FROM audit_events WHERE event = 'admin:password:set'")) == [(ADA,)]
    assert isinstance(await login.sign_in(desk, Attempt(ADA, OTHER)), SignedIn)


async def test_nobody_sets_the_password_of_somebody_who_may_do_more(desk: Desk) -> None:
    await people.person(desk, role="support")
    root = await people.person(desk, ROOT, role="admin")
    with pytest.raises(Forbidden):
        await set_password.set_password(desk, await people.identity(desk), root.id, OTHER)
    await people.identity(desk, ROOT)


async def test_a_role_given_during_the_hashing_counts(desk: Desk) -> None:
    await people.person(desk, role="support")
    who = await people.identity(desk)
    root = await people.person(desk, ROOT, role="admin")
    with pytest.raises(Forbidden):
        async with desk.begin() as work:
            await set_password.settle(work, who, root.id, await people.hashed(desk.tools, OTHER))


async def test_unknown_people_and_bad_passwords_are_told_apart(desk: Desk) -> None:
    await people.person(desk, ROOT, role="admin")
    who = await people.identity(desk, ROOT)
    with pytest.raises(NotFound):
        await set_password.set_password(desk, who, UUID(int=1), OTHER)
    with pytest.raises(Invalid):
        await set_password.set_password(desk, who, (await people.person(desk)).id, "short")


async def test_ones_own_password_takes_the_present_one_so_it_is_not_set_here(desk: Desk) -> None:
    root = await people.person(desk, ROOT, role="admin")
    with pytest.raises(Conflict, match="account page"):
        await set_password.set_password(desk, await people.identity(desk, ROOT), root.id, OTHER)
    assert isinstance(await login.sign_in(desk, Attempt(ROOT, PASSWORD)), SignedIn)
