"""Signing keys take turns, and at no moment is there a signature that some verifier cannot check."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ostiary_auth.flows import key_rotation, sign_assertion, signing_keys
from ostiary_auth.flows.key_rotation import Turn
from ostiary_auth.tools import AuthTools, AuthWork, Keyring
from ostiary_client.assertion import verify_assertion
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.identity import Identity
from ostiary_shared.tokens import Key
from ostiary_shared.work import Caller, open_work
from tests.house.samples import IDENTITY
from tests.make import make_person

US, SITE = "http://localhost", "wiki.test"
MINUTE = timedelta(minutes=1)
AGE = timedelta(days=90)
USUAL = Turn()
START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class House:
    """The house at any moment: what it shows, and what each of its processes signs."""

    def __init__(self, sessions: Sessions, tools: AuthTools, who: Identity) -> None:
        self.sessions, self.who = sessions, who
        self.processes = [replace(tools, keyring=Keyring()) for _ in range(2)]

    async def at(self, moment: datetime, flow: Any, process: int = 0) -> Any:
        """Run a flow as if it were that time."""
        async with open_work(self.sessions, tools=self.processes[process], caller=Caller()) as work:
            return await flow(replace(work, now=moment, aftermath=work.aftermath))

    async def shown(self, moment: datetime) -> Any:
        """The keys as a verifier would fetch them then."""
        return await self.at(moment, signing_keys.public_set)

    async def signed(self, moment: datetime, process: int) -> str:
        """What a process signs then."""
        found: str = await self.at(moment, lambda work: sign_assertion.sign(work, self.who, SITE), process)
        return found

    async def rotate(self, moment: datetime, turn: Turn = USUAL) -> datetime:
        """Another key."""
        found: datetime = await self.at(
            moment, lambda work: key_rotation.rotate(work, self.processes[0].signing_key, turn)
        )
        return found


@pytest.fixture
async def house(sessions: Sessions, tools: AuthTools) -> House:
    await make_person(sessions, tools)
    made = House(sessions, tools, IDENTITY)
    await made.at(START - AGE, lambda work: signing_keys.make_first(work.session, tools.signing_key, work.now))
    return made


def verified(token: str, keys: Any, moment: datetime, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a verifier with this list takes it then."""
    monkeypatch.setattr("time.time", moment.timestamp)
    try:
        verify_assertion(token, audience=SITE, issuer=US, jwks=keys)
    except Exception:  # noqa: BLE001 - whatever it is, it is no yes
        return False
    return True


async def test_whatever_is_signed_around_a_rotation_is_verified_by_every_list_that_may_be_in_use(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every half minute of 30, by two processes, against lists fetched up to five minutes ago, until it runs out."""
    await house.shown(START - 6 * MINUTE)
    moments = [START + step * MINUTE / 2 for step in range(-12, 60)]
    lists: dict[datetime, Any] = {}
    signed: list[tuple[datetime, str]] = []
    kids = set()
    for moment in moments:
        if moment == START:
            assert await house.rotate(START) == START + 10 * MINUTE
        lists[moment] = await house.shown(moment)
        kids |= {key["kid"] for key in lists[moment]["keys"]}
        # The second process started half a minute later, so that they do not look for the key at the same time.
        processes = (0,) if moment == moments[0] else (0, 1)
        signed += [(moment, await house.signed(moment, process)) for process in processes]
    real = [
        (at, token, kept)
        for at, token in signed
        for kept in lists
        for used in (at, at + MINUTE)
        if used - 5 * MINUTE <= kept <= used
    ]
    failed = [(at, kept) for at, token, kept in real if not verified(token, lists[kept], max(at, kept), monkeypatch)]
    assert (len(kids), failed) == (2, [])
    assert len(real) > 2000
    # What a service gets lives for five minutes; its key has to be there as long.
    for at, token in signed:
        kid = json.loads(_head(token))["kid"]
        within = [kept for kept in lists if at <= kept <= at + 5 * MINUTE]
        assert all(kid in {key["kid"] for key in lists[kept]["keys"]} for kept in within), at
    used = {json.loads(_head(token))["kid"] for _, token in signed}
    assert used == kids
    assert len(lists[moments[-1]]["keys"]) == 1


def _head(token: str) -> bytes:
    from base64 import urlsafe_b64decode

    head = token.partition(".")[0]
    return urlsafe_b64decode(head + "=" * (-len(head) % 4))


async def test_on_schedule_one_key_is_made_however_many_processes_see_that_it_is_time(
    house: House, sessions: Sessions, tools: AuthTools
) -> None:
    async def ask(moment: datetime) -> bool:
        found: bool = await house.at(moment, lambda work: key_rotation.rotate_if_due(work, tools.signing_key, AGE))
        return found

    assert not any(await asyncio.gather(*(ask(START - MINUTE) for _ in range(4))))
    assert sum(await asyncio.gather(*(ask(START) for _ in range(6)))) == 1
    assert not any(await asyncio.gather(*(ask(START + 20 * MINUTE) for _ in range(4))))
    assert not await ask(START + AGE)
    assert await ask(START + AGE + 10 * MINUTE)


async def test_an_operators_word_can_make_it_sign_at_once_while_the_old_key_is_still_known(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await house.signed(START - MINUTE / 2, 0)
    assert await house.rotate(START, Turn(at_once=True)) == START
    shown = await house.shown(START)
    assert len(shown["keys"]) == 2
    assert verified(before, shown, START, monkeypatch)
    fresh = await house.signed(START + MINUTE, 1)
    assert verified(fresh, await house.shown(START + MINUTE), START + MINUTE, monkeypatch)
    assert _head(fresh) != _head(before)


async def test_a_withdrawn_key_is_believed_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await house.signed(START, 0)
    await house.rotate(START, Turn(withdraw=True))
    shown = await house.shown(START)
    assert len(shown["keys"]) == 1
    assert not verified(before, shown, START, monkeypatch)
    states = await house.at(START, lambda work: key_rotation.shown(work, house.processes[0].signing_key))
    assert [(state.signs, state.opens) for state in states] == [(True, True)]


async def test_a_key_that_waits_and_one_that_was_sealed_with_another_secret_do_not_sign(
    house: House, tools: AuthTools
) -> None:
    await house.rotate(START)
    states = await house.at(START + MINUTE, lambda work: key_rotation.shown(work, tools.signing_key))
    assert [(state.signs, state.opens) for state in states] == [(False, True), (True, True)]
    other = Key((b"o" * 32,))
    states = await house.at(START + MINUTE, lambda work: key_rotation.shown(work, other))
    assert [(state.signs, state.opens) for state in states] == [(False, False), (False, False)]
    made = await house.at(START + MINUTE, lambda work: signing_keys.make_first(work.session, other, work.now))
    states = await house.at(START + 30 * MINUTE, lambda work: key_rotation.shown(work, other))
    assert [(state.kid, state.signs) for state in states] == [(made.kid, True)]


async def test_the_courier_and_every_start_see_to_it(
    sessions: Sessions, tools: AuthTools, work: AuthWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sessions.begin() as session:
        await signing_keys.make_first(session, tools.signing_key, clock.now())
    late = clock.now() + AGE + MINUTE
    await key_rotation.keep_young(sessions, tools.settings)
    assert len(await key_rotation.shown(work, tools.signing_key)) == 1
    monkeypatch.setattr(clock, "now", lambda: late)
    await asyncio.gather(*(key_rotation.keep_young(sessions, tools.settings) for _ in range(3)))
    async with open_work(sessions, tools=tools, caller=Caller()) as later:
        assert len(await key_rotation.shown(later, tools.signing_key)) == 2
