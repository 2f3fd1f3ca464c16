"""A program's token: never more than its scopes nor than its owner, shown once, and gone when it should be."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from ostiary_auth.flows import api_tokens, change_password, reset, resolve_session, set_password
from ostiary_auth.flows.api_tokens import MOST, Made, Wish
from ostiary_auth.flows.change_password import Changed, WrongPassword
from ostiary_auth.flows.reset import RECOVER, Renewed, Reset
from ostiary_auth.flows.resolve_session import Accepts
from ostiary_auth.tools import Desk
from ostiary_shared import clock, tokens
from ostiary_shared.access import Asks, Requirement, decide
from ostiary_shared.errors import Conflict, Invalid, NotFound
from ostiary_shared.identity import Identity, Presented
from ostiary_shared.store import api_tokens as store
from ostiary_shared.store import roles, users
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG, Mailed

PROGRAMS = Accepts(machines=True)
SIGNED_IN = Requirement(Asks.SIGNED_IN)
ALL = ("role:admin", "users:read", "sites:read")


async def make(desk: Desk, who: Identity, *scopes: str, days: int = 90) -> Made:
    made = await api_tokens.create(desk, who, Wish("Backup", scopes, days), PASSWORD)
    assert isinstance(made, Made), made
    return made


async def resolve(desk: Desk, token: str, accepts: Accepts = PROGRAMS) -> Presented:
    async with desk.begin() as work:
        return await resolve_session.resolve(work, token, accepts)


async def alive(desk: Desk, token: str, later: timedelta = timedelta()) -> bool:
    return decide(await resolve(desk, token), SIGNED_IN, clock.now() + later).allowed


async def test_it_acts_with_the_roles_it_names_and_of_what_they_permit_with_what_it_names(desk: Desk) -> None:
    await people.person(desk, role="admin")
    who = await people.identity(desk)
    for scopes, held, may in (
        ((), [], []),
        (("role:admin",), ["admin"], []),
        (ALL, ["admin"], ["sites:read", "users:read"]),
    ):
        found = await resolve(desk, (await make(desk, who, *scopes)).value)
        assert found.account
        assert found.session
        assert (found.account.roles, found.account.permissions) == (held, may)
        assert (found.session.assurance, found.session.methods) == (1, ("api_token",))
        assert found.session.authenticated_at == found.session.created_at
        assert found.session.idle_until() == found.session.expires_at


async def test_it_loses_what_its_owner_loses_and_gains_nothing_that_its_owner_gains(desk: Desk) -> None:
    user = await people.person(desk, role="support")
    token = (await make(desk, await people.identity(desk), "role:support", "users:read")).value
    async with desk.begin() as work:
        support, admin = await roles.find(work.session, "support"), await roles.find(work.session, "admin")
        assert support
        assert admin
        await roles.grant(work.session, roles.Grant(user.id, admin.id, "a test"), work.now)
    found = (await resolve(desk, token)).account
    assert found
    assert (found.roles, found.permissions) == (["support"], ["users:read"])
    async with desk.begin() as work:
        ended = "UPDATE role_grants SET ended_at = now() WHERE role_id = :role"
        await work.session.execute(text(ended), {"role": support.id})
    found = (await resolve(desk, token)).account
    assert found
    assert (found.roles, found.permissions) == ([], [])


async def test_only_a_door_that_takes_programs_knows_it(desk: Desk) -> None:
    await people.person(desk)
    token = (await make(desk, await people.identity(desk))).value
    for accepts in (Accepts(), Accepts(host="wiki.test")):
        assert await resolve(desk, token, accepts) == Presented(carried=True, misplaced=True)
    foreign = tokens.mint(tokens.PERSONAL, tokens.Key((b"another key",))).value
    assert await resolve(desk, foreign) == Presented(carried=True)
    other_kind = tokens.mint(tokens.PERSONAL, desk.tools.session_key).value
    assert await resolve(desk, other_kind) == Presented(carried=True)


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        (("users:read",), "needs the role that it comes by: add role:admin"),
        (("role:support",), "You do not have role:support yourself"),
        (("role:admin", "made:up"), "There is no permission made:up. A role is written role:NAME."),
        (("role:admin", "users:read", ""), "There is no permission"),
    ],
)
async def test_nobody_gives_a_token_what_they_do_not_have(desk: Desk, scopes: tuple[str, ...], told: str) -> None:
    await people.person(desk, role="admin")
    who = await people.identity(desk)
    with pytest.raises(Invalid) as caught:
        await make(desk, who, *scopes)
    assert [fault.field for fault in caught.value.errors] == ["scopes"]
    assert told in caught.value.errors[0].message
    assert await people.count(desk, "api_tokens") == 0


async def test_it_takes_the_password_and_there_is_an_end_to_how_many(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    assert await api_tokens.create(desk, who, Wish("x", (), 1), WRONG) == WrongPassword()
    async with desk.begin() as work:
        for _ in range(MOST):
            token = tokens.mint(tokens.PERSONAL, desk.tools.personal_key)
            wanted = store.Wanted(who.id, "x", token.digest, (), work.now + timedelta(days=1))
            await store.add(work.session, wanted, work.now)
    with pytest.raises(Conflict):
        await make(desk, who)


async def test_a_mail_and_a_line_in_the_log_tell_of_it_and_its_value_is_kept_nowhere(desk: Desk) -> None:
    await people.person(desk, role="admin")
    made = await make(desk, await people.identity(desk), *ALL)
    assert await people.rows(desk, "SELECT kind, email, subject FROM messages") == [
        ("api-token-made", ADA, {"token": str(made.token.id)})
    ]
    [(after,)] = await people.rows(desk, "SELECT after FROM audit_events WHERE event = 'user:token:made'")
    assert (after["token"], after["scopes"]) == ("Backup", list(ALL))
    for table in ("api_tokens", "audit_events", "messages"):
        assert made.value not in str(await people.rows(desk, f"SELECT row_to_json(t)::text FROM {table} t"))
        assert made.value[4:20] not in str(await people.rows(desk, f"SELECT row_to_json(t)::text FROM {table} t"))


async def test_it_ends_on_its_day_and_when_it_is_revoked_by_its_owner_alone(desk: Desk) -> None:
    await people.person(desk)
    await people.person(desk, "eve@example.test")
    who, eve = await people.identity(desk), await people.identity(desk, "eve@example.test")
    made = await make(desk, who, days=2)
    assert await alive(desk, made.value, timedelta(days=1, hours=23))
    assert not await alive(desk, made.value, timedelta(days=2))
    with pytest.raises(NotFound):
        async with desk.begin() as work:
            await api_tokens.revoke(work, eve, made.token.id)
    assert await alive(desk, made.value)
    async with desk.begin() as work:
        assert await api_tokens.revoke(work, who, made.token.id) == "Backup"
    assert work.receipt
    assert not await alive(desk, made.value)
    with pytest.raises(NotFound):
        async with desk.begin() as work:
            await api_tokens.revoke(work, who, made.token.id)
    async with desk.begin() as work:
        assert await api_tokens.mine(work, who) == []


async def changed(desk: Desk, who: Identity, _: UUID) -> None:
    assert isinstance(await change_password.change(desk, who, PASSWORD, OTHER), Changed)


async def recovered(desk: Desk, _: Identity, user_id: UUID) -> None:
    link, _code = await people.sent(desk, RECOVER, Mailed(user_id))
    assert isinstance(await reset.reset(desk, Reset(RECOVER, link, OTHER)), Renewed)


async def set_by_another(desk: Desk, _: Identity, user_id: UUID) -> None:
    await people.person(desk, "root@example.test", role="admin")
    root = await people.identity(desk, "root@example.test")
    await set_password.set_password(desk, root, user_id, OTHER)


@pytest.mark.parametrize("how", [changed, recovered, set_by_another])
async def test_no_token_survives_the_password_it_was_made_with(desk: Desk, how: Callable[..., object]) -> None:
    user = await people.person(desk)
    who = await people.identity(desk)
    first, second = await make(desk, who), await make(desk, who, days=366)
    await how(desk, who, user.id)  # type: ignore[misc]
    assert not await alive(desk, first.value)
    assert not await alive(desk, second.value)
    reasons = {reason for (reason,) in await people.rows(desk, "SELECT revoked_reason FROM api_tokens")}
    assert len(reasons) == 1
    assert "password" in reasons.pop()


@pytest.mark.parametrize("column", ["locked_at", "deleted_at"])
async def test_nobodys_token_opens_anything_while_the_account_is_shut(
    desk: Desk, sessions: object, databases: object, column: str
) -> None:
    import asyncpg

    user = await people.person(desk)
    token = (await make(desk, await people.identity(desk))).value
    connection = await asyncpg.connect(databases.owner)  # type: ignore[attr-defined]
    await connection.execute(f"UPDATE users SET {column} = now() WHERE id = $1", user.id)
    await connection.close()
    assert not await alive(desk, token)


async def test_the_last_use_is_written_once_a_minute_and_not_for_a_dead_token(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    made = await make(desk, who)
    moment, seen = clock.now(), []
    for later in (timedelta(), timedelta(seconds=59), timedelta(seconds=61)):
        monkeypatch.setattr(clock, "now", lambda later=later: moment + later)
        await resolve(desk, made.value)
        seen += [at for (at,) in await people.rows(desk, "SELECT last_used_at FROM api_tokens")]
    assert seen == [moment, moment, moment + timedelta(seconds=61)]
    monkeypatch.setattr(clock, "now", lambda: moment + timedelta(days=91))
    await resolve(desk, made.value)
    assert await people.rows(desk, "SELECT last_used_at FROM api_tokens") == [(seen[-1],)]


async def test_once_revoking_has_returned_no_use_succeeds(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    for _ in range(5):
        made, over = await make(desk, who), asyncio.Event()
        late: list[bool] = []

        async def use(token: str, over: asyncio.Event, late: list[bool]) -> None:
            while not over.is_set():
                await alive(desk, token)
            late.append(await alive(desk, token))

        users_ = [asyncio.create_task(use(made.value, over, late)) for _ in range(4)]
        await asyncio.sleep(0.01)
        async with desk.begin() as work:
            await api_tokens.revoke(work, who, made.token.id)
        over.set()
        await asyncio.gather(*users_)
        assert late == [False] * 4


async def test_of_a_new_token_and_a_new_password_at_once_no_token_is_left(desk: Desk) -> None:
    """Whichever comes first: either the token is revoked with the old password, or it is not made."""
    user = await people.person(desk)
    who = await people.identity(desk)
    asked = asyncio.gather(
        api_tokens.create(desk, who, Wish("x", (), 1), PASSWORD), change_password.change(desk, who, PASSWORD, OTHER)
    )
    made, replaced = await asked
    assert isinstance(replaced, Changed)
    async with desk.begin() as work:
        assert await store.living(work.session, user.id, work.now) == 0
    assert not isinstance(made, Made) or not await alive(desk, made.value)


async def test_a_token_asked_for_with_a_password_that_was_just_replaced_is_not_made(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await people.person(desk)
    who = await people.identity(desk)
    real = users.hold_alone

    async def late(*values: object, **named: object) -> object:
        monkeypatch.setattr(users, "hold_alone", real)
        await change_password.change(desk, who, PASSWORD, OTHER)
        return await real(*values, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(users, "hold_alone", late)
    assert await api_tokens.create(desk, who, Wish("x", (), 1), PASSWORD) == WrongPassword()
    async with desk.begin() as work:
        assert await store.living(work.session, user.id, work.now) == 0


async def test_what_is_long_over_is_forgotten(desk: Desk) -> None:
    await people.person(desk)
    who = await people.identity(desk)
    kept, over = await make(desk, who, days=60), await make(desk, who, days=1)
    async with desk.begin() as work:
        await api_tokens.revoke(work, who, over.token.id)
    async with desk.begin() as work:
        at: datetime = work.now + timedelta(days=31)
        assert await store.sweep(work.session, at, 100) == 1
        assert [row.id for row in await store.kept(work.session, who.id)] == [kept.token.id]
