"""The courier on bad days: nothing lost, nothing doubled but between the server's reply and our note of it."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from ostiary_auth.mail import delivery, errand, schedule, transport
from ostiary_auth.mail.server import Server as SmtpServer
from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import Sessions
from ostiary_shared.models import OneTimeToken
from ostiary_shared.store.messages import Draft, Kind
from tests.auth.mail.detour import Detour
from tests.auth.mail.post_office import (
    DROP,
    HANG,
    Server,
    at,
    carrying,
    listening,
    person,
    promise,
    recovery,
    row,
    settled,
    until,
)
from tests.conftest import Databases

KILL_POINTS = [
    "errand.prepare",
    "letters.render",
    "transport.connect",
    "transport.send",
    "transport.send:after",
    "errand.sent",
    "transport.leave",
]


async def test_what_was_promised_while_smtp_was_down_goes_out_once_and_in_order_when_it_is_back(
    sessions: Sessions, auth_settings: AuthSettings
) -> None:
    server = Server()
    async with listening(server):
        pass
    settings = at(auth_settings, server.port)
    known = await person(sessions)
    async with carrying(settings):
        mails = [
            await promise(sessions, Draft(kind, "ada@example.org", known)) for kind in (Kind.WELCOME, Kind.RECOVER)
        ]
        mails += [await recovery(sessions, f"p{number}@example.org") for number in range(10)]

        async def noticed() -> bool:
            return "Error connecting" in (await row(sessions, mails[0])).last_reply

        await until(noticed)
        assert (await row(sessions, mails[0])).attempts <= 1  # an unreachable server is no try at this mail
        async with listening(server):
            for mail in mails:
                assert (await settled(sessions, mail)).sent_at
    assert [mail["Message-ID"] for mail in server.got][:2] == [f"<{mail}@localhost>" for mail in mails[:2]]
    assert sorted(mail["Message-ID"] for mail in server.got) == sorted(f"<{mail}@localhost>" for mail in mails)


@pytest.mark.parametrize("where", ["sender", "rcpt", "data"])
async def test_a_temporary_refusal_is_tried_again(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, where: str
) -> None:
    setattr(smtp, where, ["451 Greylisted", "421 Busy"])
    mail = await recovery(sessions)
    async with carrying(at(auth_settings, smtp.port)):
        sent = await settled(sessions, mail)
    assert (sent.sent_at is not None, sent.attempts) == (True, 3)
    assert smtp.to() == ["ada@example.org"]


@pytest.mark.parametrize(
    ("where", "reply"),
    [
        ("rcpt", "550 5.1.1 No such person"),
        ("data", "554 5.6.0 Looks like spam"),
        ("data", "552 Too large"),
        ("sender", "552 Too large"),
    ],
)
async def test_a_final_refusal_fails_at_once_and_keeps_the_reply(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, where: str, reply: str
) -> None:
    setattr(smtp, where, [reply])
    bad, good = await recovery(sessions), await recovery(sessions, "bob@example.org")
    async with carrying(at(auth_settings, smtp.port)):
        failed = await settled(sessions, bad)
        assert (await settled(sessions, good)).sent_at
    assert (failed.failed_at is not None, failed.attempts, failed.last_reply) == (True, 1, reply)


@pytest.mark.parametrize(
    ("where", "reply"),
    [
        ("sender", "530 5.7.0 Must issue a STARTTLS command first"),
        ("sender", "550 5.7.1 Sender not allowed"),
        ("rcpt", "530 5.7.0 Authentication required"),
    ],
)
async def test_a_refusal_of_ourselves_is_not_held_against_the_mail(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, where: str, reply: str
) -> None:
    setattr(smtp, where, [reply] * 2)
    mails = [await recovery(sessions, address) for address in ("ada@example.org", "bob@example.org", "cyd@example.org")]
    async with carrying(at(auth_settings, smtp.port)):
        for mail in mails:
            assert (await settled(sessions, mail)).sent_at


async def test_a_mail_is_given_up_after_three_days(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "GIVE_UP", timedelta(0))
    smtp.rcpt = ["450 Not now"] * 50
    mail = await recovery(sessions)
    async with carrying(at(auth_settings, smtp.port)):
        ended = await settled(sessions, mail)
    assert (ended.failed_at is not None, ended.last_reply) == (True, "Given up after 0 days. 450 Not now")


async def test_the_waits_grow_to_an_hour_and_are_spread(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = []
    for number, attempts in enumerate([1, 2, 3, 4, 5, 6, 60]):
        found = await row(sessions, await recovery(sessions, f"p{number}@example.org"))
        found.attempts = attempts
        waits.append(schedule.back_off(found).total_seconds())
    for wait, step in zip(waits, (*schedule.STEPS, 3600), strict=True):
        assert step * 0.8 <= wait <= step


async def test_a_connection_lost_after_the_mail_was_taken_repeats_it_under_the_same_id_and_both_links_work(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    smtp.data = [DROP]
    mail = await recovery(sessions)
    async with carrying(at(auth_settings, smtp.port)):
        sent = await settled(sessions, mail)
    assert (len(smtp.got), sent.attempts) == (2, 2)
    assert smtp.got[0]["Message-ID"] == smtp.got[1]["Message-ID"]
    async with sessions() as session:
        # Mailboxes that show one of two mails with the same id may show the first: its link must not be dead.
        assert list(await session.scalars(select(OneTimeToken.voided_at))) == [None, None]


async def test_a_server_that_hangs_after_the_data_is_left(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "COMMAND_SECONDS", 0.3)
    smtp.data = [HANG]
    hung, other = await recovery(sessions), await recovery(sessions, "bob@example.org")
    async with carrying(at(auth_settings, smtp.port)):
        assert (await settled(sessions, other)).sent_at
        assert (await settled(sessions, hung)).attempts == 2


async def test_a_server_that_never_greets_is_left_and_asked_again(
    sessions: Sessions, auth_settings: AuthSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    mail = await recovery(sessions)
    async with carrying(at(auth_settings, port)):

        async def noticed() -> bool:
            return "server ready" in (await row(sessions, mail)).last_reply

        await until(noticed)
        silent.close()
        async with listening(Server(port=port)) as server:
            assert (await settled(sessions, mail)).sent_at
    assert server.to() == ["ada@example.org"]


async def test_stopping_waits_for_the_mail_in_hand_but_not_for_long(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "GRACE_SECONDS", 0.4)
    smtp.data = [HANG]
    mails = [await recovery(sessions, f"p{number}@example.org") for number in range(3)]

    async def in_hand() -> bool:
        return not smtp.data

    async with carrying(at(auth_settings, smtp.port)) as stop:
        await until(in_hand)
        begin = time.monotonic()
        stop.set()
    assert time.monotonic() - begin < 2
    rows = [await row(sessions, mail) for mail in mails]
    assert [found.claimed_until for found in rows] == [None] * 3  # free for the next courier at once
    assert [found.attempts for found in rows] == [1, 0, 0]


async def test_a_lost_database_connection_is_survived_without_a_restart(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, database: Databases
) -> None:
    async with carrying(at(auth_settings, smtp.port)):
        await settled(sessions, await recovery(sessions))
        superuser = await asyncpg.connect(database.superuser)
        try:
            for number in range(5):
                await superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE 'ostiary-courier %'"
                )
                await settled(sessions, await recovery(sessions, f"p{number}@example.org"))
        finally:
            await superuser.close()
    assert len(smtp.got) == 6


async def test_a_mail_sent_while_the_database_goes_away_is_noted_when_it_is_back_and_not_sent_twice(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Detour(auth_settings) as detour:
        send = transport.send

        async def sent(*given: Any) -> transport.Verdict:
            reply = await send(*given)
            await detour.close()
            return reply

        monkeypatch.setattr(transport, "send", sent)
        mail = await recovery(sessions)
        async with carrying(at(detour.settings, smtp.port)):
            await until(lambda: smtp.got)
            await asyncio.sleep(0.7)
            monkeypatch.undo()
            await detour.open()
            assert (await settled(sessions, mail)).attempts == 1
    assert len(smtp.got) == 1


async def test_mail_goes_on_when_the_database_is_back(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Detour(auth_settings) as detour:
        prepare = errand.prepare

        async def cut(*given: Any) -> errand.Ready | errand.Pointless:
            await detour.close()
            return await prepare(*given)

        async with carrying(at(detour.settings, smtp.port)):
            await settled(sessions, await recovery(sessions))
            monkeypatch.setattr(errand, "prepare", cut)
            mail = await recovery(sessions, "bob@example.org")
            await asyncio.sleep(0.7)
            monkeypatch.setattr(errand, "prepare", prepare)
            await detour.close()
            await asyncio.sleep(0.3)
            await detour.open()
            begin = time.monotonic()
            assert (await settled(sessions, mail)).sent_at
            assert time.monotonic() - begin < 5
    assert smtp.to() == ["ada@example.org", "bob@example.org"]


async def test_a_row_that_another_courier_took_over_is_left_alone(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, database: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A courier that was paused (SIGSTOP, a long pause of the host) wakes up with a claim that is no longer its own."""
    mail = await recovery(sessions)
    connect = transport.connect

    async def slept(out: SmtpServer, our_name: str) -> transport.Line:
        superuser = await asyncpg.connect(database.superuser)
        await superuser.execute("UPDATE messages SET claim = gen_random_uuid(), sent_at = now(), claimed_until = NULL")
        await superuser.close()
        return await connect(out, our_name)

    monkeypatch.setattr(transport, "connect", slept)
    async with carrying(at(auth_settings, smtp.port)):
        await settled(sessions, mail)
        await asyncio.sleep(0.3)
    assert smtp.got == []


@pytest.mark.parametrize("point", KILL_POINTS)
async def test_wherever_a_courier_is_killed_another_sends_its_mail_under_the_same_id(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server, database: Databases, point: str
) -> None:
    mails = [await recovery(sessions, f"p{number}@example.org") for number in range(3)]
    settings = at(auth_settings, smtp.port)
    status = await _killed(settings, point)
    assert status == -signal.SIGKILL
    superuser = await asyncpg.connect(database.superuser)
    await superuser.execute(
        "UPDATE messages SET claimed_until = now() - interval '1 s' WHERE claimed_until IS NOT NULL"
    )
    await superuser.close()
    async with carrying(settings):
        for mail in mails:
            assert (await settled(sessions, mail)).sent_at
    ids = [mail["Message-ID"] for mail in smtp.got]
    assert set(ids) == {f"<{mail}@localhost>" for mail in mails}
    assert len(ids) <= len(mails) + (point in {"transport.send:after", "errand.sent"})


async def _killed(settings: AuthSettings, point: str) -> int:
    """A courier of its own process that dies at a point of the way; its exit status."""
    name, _, after = point.partition(":")
    module, _, function = name.partition(".")
    program = textwrap.dedent(f"""
        import asyncio, os, signal
        from ostiary_auth.mail import courier, {module}
        from ostiary_auth.settings import AuthSettings
        true = {module}.{function}
        async def deadly(*given, **named):
            if {bool(after)}:
                await true(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)
        async_one = asyncio.iscoroutinefunction(true)
        {module}.{function} = deadly if async_one else (lambda *given: os.kill(os.getpid(), signal.SIGKILL))
        asyncio.run(courier.run(AuthSettings.load(), asyncio.Event()))
    """)
    told = {
        "OSTIARY_PUBLIC_URL": settings.public_url,
        "OSTIARY_MAIL_FROM": settings.mail_from,
        "OSTIARY_DATABASE_URL": settings.database_url.get_secret_value(),
        "OSTIARY_SECRET_KEY": " ".join(settings.secrets),
        "OSTIARY_SMTP_URL": settings.smtp_url.get_secret_value(),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env={**os.environ, **told})
    async with asyncio.timeout(30):
        return await process.wait()
