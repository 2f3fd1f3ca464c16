"""Housekeeping forgets what is long over, and nothing else."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from ostiary_auth.flows import housekeeping
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.limit import Limit
from ostiary_shared.models import Counter, Denial, Message, OneTimeToken, Password, Session, User
from ostiary_shared.models.base import first_id
from ostiary_shared.store import counters, users

DAY = timedelta(days=1)


def _id(age: timedelta) -> UUID:
    return UUID(int=first_id(clock.now() - age).int + 7)


async def _person(sessions: Sessions) -> UUID:
    async with sessions.begin() as session:
        user = await users.add(session, "ada@example.org", "Ada")
        assert user
        return user.id


async def test_tokens_go_a_week_after_they_expired(sessions: Sessions) -> None:
    now = clock.now()
    async with sessions.begin() as session:
        for number, expired in enumerate((8, 6, -1)):
            await session.execute(
                insert(OneTimeToken).values(
                    id=_id(10 * DAY), purpose="confirm", token_digest=bytes([number]), expires_at=now - expired * DAY
                )
                if number == 0
                else insert(OneTimeToken).values(
                    purpose="confirm", token_digest=bytes([number]), expires_at=now - expired * DAY
                )
            )
    await housekeeping.sweep(sessions, now)
    async with sessions() as session:
        left = await session.scalars(select(OneTimeToken.expires_at))
        assert sorted(left) == [now - 6 * DAY, now + DAY]


async def test_sessions_go_a_month_after_they_were_over(sessions: Sessions) -> None:
    now, user = clock.now(), await _person(sessions)
    cases = {"ended": (40, -5, 35), "expired": (62, 31, None), "fresh end": (40, -5, 2), "alive": (40, -5, None)}
    async with sessions.begin() as session:
        for name, (age, expired, ended) in cases.items():
            await session.execute(
                insert(Session).values(
                    id=UUID(int=_id(age * DAY).int + len(name)),
                    user_id=user,
                    token_digest=name.encode(),
                    assurance=1,
                    methods=[],
                    authenticated_at=now,
                    last_seen_at=now,
                    expires_at=now - expired * DAY,
                    idle_limit=DAY,
                    user_agent=name,
                    ended_at=now - ended * DAY if ended else None,
                )
            )
    await housekeeping.sweep(sessions, now)
    async with sessions() as session:
        assert sorted(await session.scalars(select(Session.user_agent))) == ["alive", "fresh end"]


async def test_passwords_that_nobody_confirmed_go_after_a_week_and_people_stay(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PORTION", 2)  # several portions are swept in one go
    now, user = clock.now(), await _person(sessions)
    async with sessions.begin() as session:
        for number in range(5):
            await session.execute(
                insert(Password).values(id=UUID(int=_id(8 * DAY).int + number), user_id=user, hash="old")
            )
        await session.execute(insert(Password).values(id=_id(9 * DAY), user_id=user, hash="adopted", adopted_at=now))
        await session.execute(insert(Password).values(user_id=user, hash="waits"))
    await housekeeping.sweep(sessions, now)
    async with sessions() as session:
        assert sorted(await session.scalars(select(Password.hash))) == ["adopted", "waits"]
        assert list(await session.scalars(select(User.id))) == [user]


async def test_counters_go_once_they_hold_nobody_up(sessions: Sessions) -> None:
    now = clock.now()
    async with sessions.begin() as session:
        await counters.take(session, "old", Limit(1, DAY), now - 2 * DAY)
        await counters.take(session, "new", Limit(1, DAY), now)
    await housekeeping.sweep(sessions, now)
    async with sessions() as session:
        assert list(await session.scalars(select(Counter.key))) == ["new"]


async def test_settled_mails_and_refusals_go_after_ninety_days(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PORTION", 2)
    now, user = clock.now(), await _person(sessions)
    ages = {"old": now - 91 * DAY, "young": now - 89 * DAY}
    async with sessions.begin() as session:
        for age, at in ages.items():
            for end in ("sent_at", "failed_at", "dropped_at", None):
                mail = {"kind": "welcome", "email": f"{age} {end}", "created_at": at}
                await session.execute(insert(Message).values(**mail, **({end: at} if end else {})))
            refused = {
                "hour": at,
                "created_at": now - 99 * DAY,
                "last_at": at,
                "method": "GET",
                "url": "",
                "decision": {},
            }
            await session.execute(insert(Denial).values(code=age, user_id=user, cause=age, **refused))
    await housekeeping.sweep(sessions, now)
    async with sessions() as session:
        mails = set(await session.scalars(select(Message.email)))
        assert mails == {"old None", "young None", "young sent_at", "young failed_at", "young dropped_at"}
        assert list(await session.scalars(select(Denial.code))) == ["young"]
