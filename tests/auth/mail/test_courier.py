"""The courier on a good day: what goes out, to whom, and what does not."""

import asyncio
import re
import time
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from ostiary_auth.flows.one_time import code_scope
from ostiary_auth.mail.contexts import RECIPES
from ostiary_auth.mail.errand import harmless
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import code_key
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.models import Message, OneTimeToken
from ostiary_shared.store import messages, one_time_tokens, users
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.store.one_time_tokens import Purpose
from ostiary_shared.tokens import code_digests, digest
from tests.auth.mail.post_office import (
    Server,
    api_token,
    at,
    carrying,
    html_of,
    person,
    promise,
    recovery,
    row,
    settled,
    text_of,
    until,
)
from tests.conftest import Databases

PASSWORD_ID = "0190a5b0-0000-7000-8000-00000000000a"


def _secrets(text: str) -> tuple[str, str]:
    return re.findall(r"token=(ot_[\w-]+)", text)[0], re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", text)[0]


async def test_a_promised_mail_arrives_with_a_link_and_a_code_that_work(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    mail = await recovery(sessions)
    async with carrying(at(auth_settings, smtp.port)):
        sent = await settled(sessions, mail)
    assert (sent.sent_at is not None, sent.attempts, sent.last_reply) == (True, 1, "250 Taken")
    assert smtp.recipients == [["ada@example.org"]]
    assert smtp.got[0]["Message-ID"] == f"<{mail}@localhost>"
    token, code = _secrets(text_of(smtp.got[0]))
    assert (token, code) == _secrets(html_of(smtp.got[0]))
    by_code = code_digests(code, code_scope(Purpose.RECOVER, "ADA@example.org"), code_key(auth_settings))
    async with sessions.begin() as session:
        assert await one_time_tokens.peek(session, Purpose.RECOVER, digest(token), clock.now())
        assert await one_time_tokens.peek(session, Purpose.CONFIRM, digest(token), clock.now()) is None
        seen = await one_time_tokens.peek_code(session, Purpose.RECOVER, by_code, clock.now())
        assert seen
        assert seen.email == "ada@example.org"
        assert await one_time_tokens.consume_seen(session, seen, Purpose.RECOVER, clock.now())
        assert await one_time_tokens.consume(session, Purpose.RECOVER, digest(token), clock.now()) is None


async def test_no_secret_is_left_in_the_database(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, database: Databases
) -> None:
    mail = await recovery(sessions)
    async with carrying(at(auth_settings, smtp.port)):
        await settled(sessions, mail)
    token, code = _secrets(text_of(smtp.got[0]))
    connection = await asyncpg.connect(database.superuser)
    try:
        kept = [
            str(await connection.fetch(f'SELECT t::text FROM "{table["tablename"]}" t'))
            for table in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
    finally:
        await connection.close()
    for secret in (token, token.removeprefix("ot_"), code, code.replace("-", "")):
        assert secret not in "".join(kept)


async def test_every_kind_goes_out(sessions: Sessions, auth_settings: AuthSettings, smtp: Server) -> None:
    kinds = [kind for kind in Kind if kind is not Kind.CONFIRM]
    for number, kind in enumerate(kinds):
        known = await person(sessions, f"p{number}@example.org")
        about = {"token": str(await api_token(sessions, known))} if RECIPES[kind].of_token else {}
        to = f"new{number}@example.org" if kind is Kind.CHANGE_EMAIL else f"p{number}@example.org"
        await promise(sessions, Draft(kind, to, known, about))
    fresh = await person(sessions, "fresh@example.org", confirmed=False)
    await promise(sessions, Draft(Kind.CONFIRM, "fresh@example.org", fresh, {"password_id": PASSWORD_ID}))
    async with carrying(at(auth_settings, smtp.port)):
        await until(lambda: len(smtp.got) == len(Kind))
    assert smtp.connections == 1  # one connection carries the whole batch
    async with sessions() as session:
        tokens = await session.scalars(select(OneTimeToken))
        found = {token.purpose: (token.email, token.subject.get("password_id")) for token in tokens}
    assert set(found) == {recipe.purpose for recipe in RECIPES.values() if recipe.purpose}
    assert found[Purpose.CONFIRM] == ("fresh@example.org", PASSWORD_ID)
    assert found[Purpose.CHANGE_EMAIL][0].startswith("new")


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        (Kind.RECOVER, "nobody", "No account has this address."),
        (Kind.CONFIRM, "fine", "The address is confirmed already."),
        (Kind.RECOVER, "locked", "The account is locked."),
        (Kind.WELCOME, "deleted", "The account was deleted."),
        (Kind.RECOVER, "moved", "The account has another address now."),
        (Kind.CHANGE_EMAIL, "fine", "The account has this address already."),
        (Kind.CHANGE_EMAIL, "nobody", "Another account has this address."),
        (Kind.CONFIRM, "nobody", "No account with this address waits to be confirmed."),
    ],
)
async def test_a_pointless_mail_is_dropped_with_the_reason(
    sessions: Sessions,
    admin_sessions: Sessions,
    auth_settings: AuthSettings,
    smtp: Server,
    kind: Kind,
    state: str,
    reason: str,
) -> None:
    known = None if state == "nobody" else await person(sessions)
    changes: dict[str, dict[str, Any]] = {
        "locked": {"locked_at": clock.now()},
        "deleted": {"deleted_at": clock.now()},
        "moved": {"email": "new@example.org"},
    }
    if known and state in changes:
        async with admin_sessions.begin() as session:
            await users.change(session, known, **changes[state])
    mail = await promise(sessions, Draft(kind, "ada@example.org", known))
    async with carrying(at(auth_settings, smtp.port)):
        ended = await settled(sessions, mail)
    assert (ended.dropped_at is not None, ended.last_reply) == (True, reason)
    assert smtp.got == []


@pytest.mark.parametrize("state", ["locked_at", "deleted_at"])
async def test_a_warning_goes_to_the_old_address_even_of_a_closed_account(
    sessions: Sessions, admin_sessions: Sessions, auth_settings: AuthSettings, smtp: Server, state: str
) -> None:
    known = await person(sessions)
    for kind in (Kind.PASSWORD_CHANGED, Kind.EMAIL_CHANGED):
        await promise(sessions, Draft(kind, "ada@example.org", known))
    async with admin_sessions.begin() as session:
        await users.change(session, known, email="thief@example.org", **{state: clock.now()})
    async with carrying(at(auth_settings, smtp.port)):
        await until(lambda: len(smtp.got) == 2)
    assert smtp.to() == ["ada@example.org"] * 2


async def test_mail_goes_to_the_address_as_it_is_stored_not_as_it_was_typed(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    mail = await promise(sessions, Draft(Kind.RECOVER, "ADA@Example.org", await person(sessions)))
    async with carrying(at(auth_settings, smtp.port)):
        await settled(sessions, mail)
    assert smtp.to() == ["ada@example.org"]


async def test_a_list_of_addresses_in_a_row_reaches_nobody(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions)
    bad = await promise(sessions, Draft(Kind.CHANGE_EMAIL, "a@example.org, b@evil.example", known))
    good = await recovery(sessions, "bob@example.org")
    async with carrying(at(auth_settings, smtp.port)):
        assert (await settled(sessions, good)).sent_at
        failed = await settled(sessions, bad)
    assert (failed.failed_at is not None, failed.last_reply) == (True, "This is not the address of one person.")
    assert smtp.recipients == [["bob@example.org"]]


async def test_a_newer_recovery_link_ends_the_older_one_once_it_is_on_its_way(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions)
    async with carrying(at(auth_settings, smtp.port)):
        for _ in range(2):
            await settled(sessions, await promise(sessions, Draft(Kind.RECOVER, "ada@example.org", known)))
    old, new = (_secrets(text_of(mail))[0] for mail in smtp.got)
    async with sessions() as session:
        assert await one_time_tokens.peek(session, Purpose.RECOVER, digest(old), clock.now()) is None
        assert await one_time_tokens.peek(session, Purpose.RECOVER, digest(new), clock.now())


async def test_of_one_persons_due_mails_only_the_first_can_be_taken(
    sessions: Sessions,
) -> None:
    known, other = await person(sessions), await person(sessions, "bob@example.org")
    for who, email in ((known, "ada@example.org"), (known, "ada@example.org"), (other, "bob@example.org")):
        await promise(sessions, Draft(Kind.WELCOME, email, who))
    async with sessions.begin() as first, sessions.begin() as second:
        taken = [
            await messages.claim(session, clock.now(), hold=timedelta(minutes=1), limit=1)
            for session in (first, second)
        ]
        assert [[found.email for found in rows] for rows in taken] == [["ada@example.org"], ["bob@example.org"]]
    async with sessions.begin() as third:
        assert await messages.claim(third, clock.now(), hold=timedelta(minutes=1), limit=10) == []


async def test_a_resent_confirmation_of_no_particular_sign_up_leaves_theirs_alone(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions, confirmed=False)
    async with carrying(at(auth_settings, smtp.port)):
        for subject in ({"password_id": "one"}, {}, {}):
            await settled(sessions, await promise(sessions, Draft(Kind.CONFIRM, "ada@example.org", known, subject)))
    links = [digest(_secrets(text_of(mail))[0]) for mail in smtp.got]
    async with sessions() as session:
        found = [await one_time_tokens.peek(session, Purpose.CONFIRM, link, clock.now()) for link in links]
    assert [one is not None for one in found] == [True, False, True]


async def test_each_sign_up_keeps_its_own_link_until_it_asks_for_another(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions, confirmed=False)
    async with carrying(at(auth_settings, smtp.port)):
        for password in ("one", "other", "one"):
            await settled(
                sessions,
                await promise(sessions, Draft(Kind.CONFIRM, "ada@example.org", known, {"password_id": password})),
            )
    links = [digest(_secrets(text_of(mail))[0]) for mail in smtp.got]
    async with sessions() as session:
        found = [await one_time_tokens.peek(session, Purpose.CONFIRM, link, clock.now()) for link in links]
    assert [one and one.subject["password_id"] for one in found] == [None, "other", "one"]


async def test_two_couriers_send_fifty_mails_once_each(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    for number in range(50):
        await recovery(sessions, f"p{number}@example.org")
    async with carrying(at(auth_settings, smtp.port), couriers=2):
        await until(lambda: len(smtp.got) >= 50)
        await asyncio.sleep(0.2)
    assert sorted(smtp.to()) == sorted(f"p{number}@example.org" for number in range(50))
    assert len({mail["Message-ID"] for mail in smtp.got}) == 50


async def test_the_mails_of_one_person_arrive_in_order(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions)
    kinds = [Kind.WELCOME, Kind.PASSWORD_CHANGED, Kind.RECOVER, Kind.SIGNUP_EXISTING, Kind.EMAIL_CHANGED] * 2
    ids = [await promise(sessions, Draft(kind, "ada@example.org", known)) for kind in kinds]
    async with carrying(at(auth_settings, smtp.port), couriers=2):
        await until(lambda: len(smtp.got) == len(ids))
    assert [mail["Message-ID"] for mail in smtp.got] == [f"<{mail}@localhost>" for mail in ids]


async def test_a_mail_that_was_put_off_holds_up_no_other(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions)
    slow, quick = [
        await promise(sessions, Draft(kind, "ada@example.org", known)) for kind in (Kind.WELCOME, Kind.RECOVER)
    ]
    smtp.rcpt = ["450 Later"]
    async with carrying(at(auth_settings, smtp.port)):
        await settled(sessions, slow)
        await settled(sessions, quick)
    assert [mail["Message-ID"] for mail in smtp.got] == [f"<{quick}@localhost>", f"<{slow}@localhost>"]


async def test_an_idle_courier_stops_at_once(auth_settings: AuthSettings, database: Databases, smtp: Server) -> None:
    async with carrying(at(auth_settings, smtp.port)) as stop:
        await asyncio.sleep(0.2)
        begin = time.monotonic()
        stop.set()
    assert time.monotonic() - begin < 0.5


async def test_a_mail_that_cannot_be_written_waits_and_holds_up_no_other(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions)
    async with sessions.begin() as session:
        odd = Message(kind="of-tomorrow", email="ada@example.org", user_id=known, subject={})
        session.add(odd)
    good = await recovery(sessions, "bob@example.org")
    async with carrying(at(auth_settings, smtp.port)):
        assert (await settled(sessions, good)).sent_at
        await until(lambda: len(smtp.got) == 1)
    assert (await row(sessions, odd.id)).last_reply == "The mail could not be written: ValueError."


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("J. R. Smith", "J. R. Smith"),
        ("O'Neil-Łódź", "O'Neil-Łódź"),
        ("अदिति", "अदिति"),
        ("evil.example", ""),
        ("Win at evil\uff0eexample", ""),
        ("https://evil", ""),
        ("a@b", ""),
        ("evil。example", ""),
        ("x" * 61, ""),
        ("a\nb", "a b"),
    ],
)
def test_a_name_is_repeated_only_when_no_mail_program_makes_a_link_of_it(name: str, shown: str) -> None:
    assert harmless(name) == shown


async def test_a_stranger_cannot_make_us_mail_their_words(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    known = await person(sessions, "victim@example.org", confirmed=False, name="Call 555 for your prize")
    await promise(sessions, Draft(Kind.CONFIRM, "victim@example.org", known, {"password_id": PASSWORD_ID}))
    async with carrying(at(auth_settings, smtp.port)):
        await until(lambda: len(smtp.got) == 1)
    assert b"prize" not in smtp.got[0].as_bytes()
