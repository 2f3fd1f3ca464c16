"""Revocation is linearizable: the check that `./ostiary bench revocation` runs, at CI's size; and the judge itself."""

import os
from pathlib import Path
from typing import Any

import pytest

from ostiary.revocation_check import fleet, run
from ostiary.revocation_check.fleet import Place
from ostiary.revocation_check.judge import Asked, Judge, Outcome, Right
from ostiary_shared.revocation import LEASE
from tests.conftest import AUTH_SECRET, Databases

# CI asks so many times; on a developer's machine that is busy otherwise, a smaller number may be put here.
OPERATIONS = int(os.environ.get("OSTIARY_CHECK_OPERATIONS", "200000"))
ACCEPTED, REFUSED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN


@pytest.mark.timeout(900)
async def test_nobody_is_accepted_after_a_revoke_has_returned(database: Databases, tmp_path: Path) -> None:
    place = Place(database.auth, database.admin, database.owner, database.superuser, AUTH_SECRET)
    report = await run.check(place, run.Plan(OPERATIONS, seconds=25, most_seconds=800))
    print("\n".join(report.lines()))
    assert report.holds, report.lines()
    assert report.judge.operations >= OPERATIONS
    assert report.judge.after_revocation > 200
    assert not report.judge.needless, report.judge.excuses
    acts = {"logout", "end session", "end all", "end others", "lock", "delete", "role", "end everything"}
    assert set(report.counts.acts) >= acts
    assert {"lines killed", "worker killed", "worker paused", "replica restarted"} <= set(report.counts.faults)
    assert report.skewed == fleet.CAN_SKEW


def _heard(*answers: tuple[float, float, Outcome], taken: float = 1.0, revoked: float | None = 2.0) -> Judge:
    """What the judge says of one right that is being taken away from 1.0 to 2.0."""
    judge, right, done = Judge(), Right("a session"), False
    judge.taking(right, taken)
    for invoked, returned, outcome in sorted(answers, key=lambda one: one[1]):
        if revoked is not None and not done and returned > revoked:
            judge.revoked(right, revoked)
            done = True
        judge.heard(right, Asked(invoked, returned, "one", outcome))
    return judge


HISTORIES: dict[str, tuple[Any, int]] = {
    "accepted before": ([(0.1, 0.2, ACCEPTED)], 0),
    "accepted while it was taken": ([(1.1, 1.2, ACCEPTED), (1.5, 1.6, ACCEPTED)], 0),
    "asked before the return, answered after it": ([(1.9, 2.5, ACCEPTED)], 0),
    "asked after the return": ([(2.1, 2.2, ACCEPTED)], 1),
    "asked long after": ([(9.0, 9.1, ACCEPTED), (9.0, 9.1, ACCEPTED)], 2),
    "refused after": ([(2.1, 2.2, REFUSED)], 0),
    "no answer after": ([(2.1, 2.2, UNKNOWN)], 0),
    "refused, then accepted by one that has not heard yet": ([(1.1, 1.2, REFUSED), (1.3, 1.4, ACCEPTED)], 0),
    "accepted beside a refusal": ([(1.1, 1.3, REFUSED), (1.2, 1.4, ACCEPTED)], 0),
}


@pytest.mark.parametrize(("answers", "wrong"), HISTORIES.values(), ids=HISTORIES)
def test_the_judge_sees_what_is_wrong_with_a_history_and_nothing_else(answers: Any, wrong: int) -> None:
    assert _heard(*answers).wrong == wrong


def test_a_revoke_that_failed_excuses_nothing_and_proves_nothing() -> None:
    assert _heard((2.1, 2.2, ACCEPTED), revoked=None).wrong == 0
    differing = _heard((2.1, 2.2, REFUSED), (2.3, 2.4, ACCEPTED), revoked=None)
    assert (differing.wrong, differing.differed) == (0, 1)


def test_whoever_never_heard_that_a_revoke_was_done_may_count_on_it_a_lease_after_a_refusal() -> None:
    late = 2.2 + LEASE + 0.1
    assert _heard((2.1, 2.2, REFUSED), (late, late + 0.1, ACCEPTED), revoked=None).wrong == 1


def test_a_refusal_of_somebody_from_whom_nothing_was_taken_is_counted_apart() -> None:
    judge = _heard((0.1, 0.2, REFUSED), (0.3, 0.4, ACCEPTED))
    assert (judge.needless, judge.wrong) == (1, 0)
