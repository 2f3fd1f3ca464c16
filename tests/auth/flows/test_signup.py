"""Signing up: one address, one person, the same answer, and nobody's password by somebody else's link."""

import asyncio
from dataclasses import replace

import pytest

from ostiary_auth import limits
from ostiary_auth.factors.password import Passwords
from ostiary_auth.flows import resend, signup
from ostiary_auth.flows.signup import Wish
from ostiary_auth.tools import Desk
from ostiary_shared.errors import Forbidden, Invalid
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD

MAILS = "SELECT kind, email, user_id IS NOT NULL AS known, subject FROM messages ORDER BY created_at, id"


async def test_a_new_person_waits_for_their_mail(desk: Desk) -> None:
    await signup.sign_up(desk, Wish(" Ada@Example.Test ", PASSWORD, "Ada"))
    (user,) = await people.rows(desk, "SELECT id, email, name, confirmed_at FROM users")
    assert (user.email, user.name, user.confirmed_at) == ("Ada@example.test", "", None)
    (password,) = await people.rows(desk, "SELECT id, user_id, name, adopted_at FROM passwords")
    assert (password.user_id, password.name, password.adopted_at) == (user.id, "Ada", None)
    (mail,) = await people.rows(desk, MAILS)
    assert (mail.kind, mail.email, mail.subject) == ("confirm", "Ada@example.test", {"password_id": str(password.id)})
    assert await people.rows(desk, "SELECT r.name FROM role_grants g JOIN roles r ON r.id = g.role_id") == [
        ("end-user",)
    ]


async def test_somebody_with_an_account_is_told_by_mail_only(desk: Desk) -> None:
    await people.person(desk)
    await signup.sign_up(desk, Wish("ADA@EXAMPLE.TEST", OTHER))
    assert await people.rows(desk, MAILS) == [("signup-existing", ADA, True, {})]
    assert await people.count(desk, "users") == 1


async def test_twenty_sign_ups_at_once_are_one_person_and_no_error(desk: Desk) -> None:
    wishes = [
        Wish(email, PASSWORD)
        for email in ("ada@example.test", "ADA@example.test", "Ada@EXAMPLE.TEST", "aDa@example.test")
    ]
    await asyncio.gather(*(signup.sign_up(desk, wishes[number % 4]) for number in range(20)))
    assert await people.count(desk, "users") == 1
    assert await people.count(desk, "role_grants") == 1
    assert await people.count(desk, "messages") == limits.MAILS_PER_ADDRESS.count


async def test_addresses_that_only_look_alike_get_their_own_mail(desk: Desk) -> None:
    for email in ("mike@example.test", "m\u0131ke@example.test", "\uff4dike@example.test"):
        await signup.sign_up(desk, Wish(email, PASSWORD))
    users = {row.email: row.id for row in await people.rows(desk, "SELECT id, email FROM users")}
    for mail in await people.rows(desk, "SELECT user_id, email FROM messages"):
        assert users[mail.email] == mail.user_id


async def test_known_and_unknown_addresses_cost_one_hash_and_one_mail(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.person(desk)
    made: list[str] = []
    hash_it = Passwords.hash

    async def counted(self: Passwords, password: str) -> str:
        made.append(password)
        return await hash_it(self, password)

    monkeypatch.setattr(Passwords, "hash", counted)
    grown = []
    for email in (ADA, "nobody@example.test"):
        before = await people.tables(desk)
        await signup.sign_up(desk, Wish(email, OTHER))
        after = await people.tables(desk)
        grown.append(
            {name: after[name] - before[name] for name in ("passwords", "messages", "audit_events", "counters")}
        )
    assert len(made) == 2
    assert grown[0] == grown[1] == {"passwords": 1, "messages": 1, "audit_events": 1, "counters": 1}


async def test_a_closed_house_takes_no_sign_ups(desk: Desk) -> None:
    settings = desk.tools.settings.model_copy(update={"registration": "closed"})
    closed = replace(desk, tools=replace(desk.tools, settings=settings))
    with pytest.raises(Forbidden) as refused:
        await signup.sign_up(closed, Wish(ADA, PASSWORD))
    assert refused.value.code == "registration_closed"


@pytest.mark.parametrize(
    "password", ["short", "fourteen chars", "ada@example.test", "passwordpassword", "aaaaaaaaaaaaaaaa", "x" * 1025]
)
async def test_passwords_that_will_not_do_are_refused_before_anything_is_written(desk: Desk, password: str) -> None:
    with pytest.raises(Invalid) as refused:
        await signup.sign_up(desk, Wish(ADA, password, "Ada"))
    assert refused.value.errors[0].field == "password"
    assert await people.count(desk, "users") == await people.count(desk, "counters") == 0


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "a@b@c",
        "ada@example.test, eve@example.test",
        "ada@example.test\r\nBcc: eve@x.test",
        '"ada"@example.test',
        "ada@[127.0.0.1]",
        "Ada <ada@example.test>",
        "ada@" + "x" * 300,
    ],
)
async def test_what_is_not_one_address_is_refused(desk: Desk, email: str) -> None:
    with pytest.raises(Invalid):
        await signup.sign_up(desk, Wish(email, PASSWORD))
    with pytest.raises(Invalid):
        async with desk.begin() as work:
            await resend.resend(work, email)


@pytest.mark.parametrize("email", [ADA, "nobody@example.test", "waiting@example.test"])
async def test_sending_again_writes_the_same_for_every_address(desk: Desk, email: str) -> None:
    await people.person(desk)
    await people.person(desk, "waiting@example.test", confirmed=False)
    before = await people.tables(desk)
    async with desk.begin() as work:
        await resend.resend(work, email)
    after = await people.tables(desk)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "messages": 1,
        "counters": 1,
    }
    (mail,) = await people.rows(desk, MAILS)
    assert mail.known == (email == "waiting@example.test")


async def test_a_mail_sent_again_belongs_to_the_newest_sign_up(desk: Desk) -> None:
    await signup.sign_up(desk, Wish(ADA, PASSWORD))
    await signup.sign_up(desk, Wish(ADA, OTHER))
    async with desk.begin() as work:
        await resend.resend(work, ADA)
    first, second, again = [row.subject for row in await people.rows(desk, MAILS)]
    assert first != second == again


async def test_a_mailbox_gets_no_more_than_its_limit(desk: Desk) -> None:
    for _ in range(10):
        async with desk.begin() as work:
            await resend.resend(work, "Ada@example.test")
    assert await people.count(desk, "messages") == limits.MAILS_PER_ADDRESS.count
