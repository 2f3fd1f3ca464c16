"""Somebody whose script would stop soon is told: twice, and once however many couriers there are."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from ostiary_auth.flows import remind
from ostiary_auth.mail import errand
from ostiary_auth.mail.contexts import OfToken
from ostiary_auth.mail.errand import Letterhead, Pointless, Ready
from ostiary_auth.tools import Desk
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Message
from ostiary_shared.store import api_tokens as store
from tests.auth import people

DAY = timedelta(days=1)


async def token(desk: Desk, owner: object, days: int, name: str = "Backup") -> None:
    made = tokens.mint(tokens.PERSONAL, desk.tools.personal_key)
    async with desk.begin() as work:
        wanted = store.Wanted(owner.id, name, made.digest, ("role:x",), work.now + days * DAY)  # type: ignore[attr-defined]
        await store.add(work.session, wanted, work.now)


async def test_two_mails_before_the_end_and_none_for_short_or_revoked_ones(desk: Desk, sessions: Sessions) -> None:
    ada = await people.person(desk)
    await token(desk, ada, 90)
    await token(desk, ada, 5, "short")
    now, sent = clock.now(), []
    for day in range(92):
        sent += [day] * await remind.remind(sessions, now + day * DAY)
    assert sent == [76, 87]
    subjects = await people.rows(desk, "SELECT subject->>'days' FROM messages ORDER BY due_at")
    assert [days for (days,) in subjects] == ["14", "3"]
    await token(desk, ada, 90)
    async with desk.begin() as work:
        await store.revoke_all(work.session, ada.id, work.now, "x")
    assert await remind.remind(sessions, clock.now() + 80 * DAY) == 0


async def test_two_couriers_at_once_send_one_and_the_letter_says_which_and_when(desk: Desk, sessions: Sessions) -> None:
    ada = await people.person(desk)
    await token(desk, ada, 90, "Backup of the wiki")
    soon = clock.now() + 80 * DAY
    assert sum(await asyncio.gather(*(remind.remind(sessions, soon) for _ in range(4)))) == 1
    letterhead = Letterhead(desk.tools.settings, desk.tools.code_key)
    async with desk.begin() as work:
        [row] = list(await work.session.scalars(select(Message)))
        ready = await errand.prepare(work.session, letterhead, row, soon)
        assert isinstance(ready, Ready)
        assert isinstance(ready.context, OfToken)
        assert (ready.context.token_name, ready.context.allowed) == ("Backup of the wiki", "role:x")
        await store.revoke_all(work.session, ada.id, work.now, "x")
    async with desk.begin() as work:
        [row] = list(await work.session.scalars(select(Message)))
        assert isinstance(await errand.prepare(work.session, letterhead, row, soon), Pointless)
