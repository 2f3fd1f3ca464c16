"""What the log keeps of wrong passwords and codes: of people we know, and no more than the counters allow."""

import pytest

from ostiary_auth import limits
from ostiary_auth.flows import change_password, one_time
from ostiary_auth.flows.one_time import Proof
from ostiary_auth.tools import Desk
from ostiary_shared.errors import TooMany
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.people import ADA, OTHER, WRONG

LOG = "SELECT target_id, target, reason FROM audit_events WHERE event = 'user:session:refused'"


async def _guess(desk: Desk, email: str) -> None:
    async with desk.begin() as work:
        assert await one_time.peek(work, Purpose.RECOVER, Proof("", email, "WRONG")) is None


async def test_a_wrong_present_password_is_in_the_log(desk: Desk) -> None:
    user = await people.person(desk)
    who = await people.identity(desk)
    await change_password.change(desk, who, WRONG, OTHER)
    assert await people.rows(desk, LOG) == [(user.id, ADA, "wrong present password")]


async def test_wrong_codes_are_in_the_log_as_often_as_they_may_be_tried(desk: Desk) -> None:
    user = await people.person(desk)
    for _ in range(limits.CODE_GUESSES.count):
        await _guess(desk, ADA.upper())
    with pytest.raises(TooMany):
        await _guess(desk, ADA)
    assert await people.rows(desk, LOG) == [(user.id, ADA, "wrong code (recover)")] * limits.CODE_GUESSES.count


async def test_codes_for_nobody_cost_as_much_and_leave_nothing_that_lasts(desk: Desk) -> None:
    await people.person(desk)
    grown = []
    for email in (ADA, "nobody@example.test"):
        before = await people.tables(desk)
        await _guess(desk, email)
        after = await people.tables(desk)
        grown.append({name: after[name] - before[name] for name in after if after[name] != before[name]})
    assert grown == [{"counters": 1, "audit_events": 1}, {"counters": 2}]
