"""The one decision: open only when every step passes, and the steps say why."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_shared.access import Asks, Check, Decision, Outcome, Requirement, decide, refuse_address, signed_in
from ostiary_shared.identity import API_TOKEN, Account, HeldRole, Identity, Presented, SessionFacts

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = UUID(int=7)
EDITOR = HeldRole("editor", frozenset({"pages:write"}), NOW - HOUR, "ada@example.test")


def account(**changes: object) -> Account:
    facts = {
        "id": ID,
        "email": "bo@example.test",
        "name": "Bo",
        "confirmed_at": NOW - HOUR,
        "locked_at": None,
        "locked_reason": "",
        "deleted_at": None,
        "held": (),
    }
    return Account(**{**facts, **changes})  # type: ignore[arg-type]


def session(**changes: object) -> SessionFacts:
    facts = {
        "id": ID,
        "assurance": 1,
        "methods": ("password",),
        "created_at": NOW - HOUR,
        "authenticated_at": NOW - HOUR,
        "last_seen_at": NOW - timedelta(minutes=1),
        "expires_at": NOW + HOUR,
        "idle_limit": HOUR,
        "ended_at": None,
        "ended_reason": "",
    }
    return SessionFacts(**{**facts, **changes})  # type: ignore[arg-type]


SIGNED_IN = Requirement(Asks.SIGNED_IN, source="rule 1 of Intranet (/)")
AS_EDITOR = Requirement(Asks.ROLE, "editor", source="rule 2 of Intranet (/editor/)")


def judged(requirement: Requirement = SIGNED_IN, *, at: datetime = NOW, **changes: object) -> Decision:
    return decide(Presented(True, session(), account(**changes)), requirement, at)


def test_a_living_session_of_a_confirmed_person_may_enter() -> None:
    decision = judged()
    assert decision.allowed
    assert [step.check for step in decision.steps][-1] is Check.RULE
    assert all(step.passed for step in decision.steps)


def test_signed_in_is_who_a_door_for_the_signed_in_lets_in() -> None:
    person = account(held=(EDITOR,))
    assert signed_in(Presented(True, session(), person), NOW) == Identity.of(person, session())
    for nobody in (
        Presented(),
        Presented(carried=True),
        Presented(True, session(), None),
        Presented(True, session(expires_at=NOW), person),
        Presented(True, session(), account(locked_at=NOW)),
    ):
        assert signed_in(nobody, NOW) is None


@pytest.mark.parametrize(
    ("presented", "cause"),
    [
        (Presented(), Check.COOKIE),
        (Presented(carried=True), Check.SESSION),
        (Presented(True, session(ended_at=NOW, ended_reason="signed out"), account()), Check.ALIVE),
        (Presented(True, session(expires_at=NOW), account()), Check.ALIVE),
        (Presented(True, session(last_seen_at=NOW - HOUR), account()), Check.ALIVE),
    ],
)
def test_without_a_living_session_one_must_sign_in(presented: Presented, cause: Check) -> None:
    decision = decide(presented, SIGNED_IN, NOW)
    assert decision.outcome is Outcome.SIGN_IN
    assert decision.cause is cause
    assert decision.steps[-2].remedy


@pytest.mark.parametrize(
    ("changes", "cause", "remedy"),
    [
        ({"locked_at": NOW, "locked_reason": "left the club"}, Check.ACCOUNT, "unlock"),
        ({"deleted_at": NOW}, Check.ACCOUNT, "unlock"),
        ({"confirmed_at": None}, Check.CONFIRMED, "confirm"),
    ],
)
def test_an_account_out_of_order_is_refused_with_its_remedy(
    changes: dict[str, object], cause: Check, remedy: str
) -> None:
    decision = decide(Presented(True, session(), account(**changes)), SIGNED_IN, NOW)
    assert (decision.outcome, decision.cause) == (Outcome.REFUSED, cause)
    assert decision.remedy is not None
    assert decision.remedy.kind == remedy


def test_a_missing_role_names_the_grant_that_would_help() -> None:
    decision = judged(AS_EDITOR)
    assert (decision.outcome, decision.cause) == (Outcome.REFUSED, Check.ROLE)
    assert decision.remedy is not None
    assert (decision.remedy.kind, decision.remedy.value) == ("grant-role", "editor")
    assert decision.steps[-1].seen == "rule 2 of Intranet (/editor/): asks for the role editor"


def test_a_held_role_says_from_which_grant() -> None:
    decision = judged(AS_EDITOR, held=(EDITOR,))
    assert decision.allowed
    assert "granted 2026-01-02 11:00 UTC by ada@example.test" in next(
        s.seen for s in decision.steps if s.check is Check.ROLE
    )


def test_a_permission_counts_from_any_role() -> None:
    wanted = Requirement(Asks.PERMISSION, "pages:write")
    assert judged(wanted, held=(EDITOR,)).allowed
    assert judged(wanted).cause is Check.PERMISSION


def test_what_no_rule_opens_stays_shut_even_for_the_signed_in() -> None:
    assert judged(Requirement(Asks.NOBODY)).cause is Check.RULE


def test_where_the_visitor_comes_from_is_for_the_proxy_to_tell() -> None:
    decision = judged(Requirement(Asks.UNTOLD))
    assert (decision.outcome, decision.cause) == (Outcome.REFUSED, Check.RULE)
    assert decision.remedy is not None
    assert "X-Forwarded-For" in decision.remedy.words


def test_a_weak_sign_in_does_not_open_a_strong_door() -> None:
    assert judged(Requirement(Asks.SIGNED_IN, assurance=2)).cause is Check.ASSURANCE


AUTHOR = HeldRole("author", frozenset(), NOW - HOUR, "ada@example.test")
EITHER = Requirement(Asks.ANY_ROLE, roles=("editor", "author"))
BOTH = Requirement(Asks.ALL_ROLES, roles=("editor", "author"))


@pytest.mark.parametrize(
    ("requirement", "held", "missing"),
    [
        (EITHER, (AUTHOR,), None),
        (EITHER, (EDITOR, AUTHOR), None),
        (EITHER, (), "editor"),
        (BOTH, (EDITOR, AUTHOR), None),
        (BOTH, (EDITOR,), "author"),
        (BOTH, (), "editor"),
    ],
)
def test_of_several_roles_any_or_all_are_asked_for(
    requirement: Requirement, held: tuple[HeldRole, ...], missing: str | None
) -> None:
    decision = judged(requirement, held=held)
    assert decision.allowed == (missing is None)
    assert missing is None or decision.remedy is not None
    if decision.remedy:
        assert (decision.cause, decision.remedy.kind, decision.remedy.value) == (Check.ROLE, "grant-role", missing)


@pytest.mark.parametrize("asks", [Asks.ANY_ROLE, Asks.ALL_ROLES])
def test_nobody_holds_any_of_no_roles_at_all(asks: Asks) -> None:
    decision = judged(Requirement(asks), held=(EDITOR,))
    assert (decision.outcome, decision.cause) == (Outcome.REFUSED, Check.ROLE)


@pytest.mark.parametrize(("age", "recent"), [(60, True), (59, False), (61, True)])
def test_a_sign_in_counts_for_as_long_as_the_rule_says_and_then_another_is_wanted(age: int, recent: bool) -> None:
    decision = judged(Requirement(Asks.SIGNED_IN, fresh=timedelta(minutes=age)), at=NOW - timedelta(minutes=2))
    assert decision.allowed
    decision = judged(Requirement(Asks.SIGNED_IN, fresh=timedelta(minutes=age)))
    assert decision.allowed == recent
    assert recent or (decision.outcome, decision.cause) == (Outcome.REFUSED, Check.FRESH)
    assert decision.wants_another_sign_in != recent


def test_signing_in_again_opens_a_door_that_asks_for_a_recent_sign_in() -> None:
    requirement = Requirement(Asks.SIGNED_IN, fresh=timedelta(minutes=5))
    assert judged(requirement).cause is Check.FRESH
    anew = Presented(True, session(authenticated_at=NOW), account())
    assert decide(anew, requirement, NOW).allowed


def test_a_program_never_signed_in_however_young_its_token_is() -> None:
    requirement = Requirement(Asks.SIGNED_IN, fresh=HOUR)
    young = Presented(True, session(authenticated_at=NOW, methods=(API_TOKEN,)), account())
    decision = decide(young, requirement, NOW)
    assert (decision.outcome, decision.cause) == (Outcome.REFUSED, Check.FRESH)
    assert "program" in next(step.seen for step in decision.steps if step.check is Check.FRESH)
    assert decide(young, Requirement(Asks.SIGNED_IN), NOW).allowed


def test_the_steps_say_how_old_a_sign_in_is_and_how_old_it_may_be() -> None:
    step = next(s for s in judged(Requirement(Asks.SIGNED_IN, fresh=HOUR / 4)).steps if s.check is Check.FRESH)
    assert step.seen == "signed in 2026-01-02 11:00 UTC; within 15 minutes is asked"
    assert step.remedy == "Sign in again."


def test_a_decision_survives_being_kept() -> None:
    for decision in (judged(AS_EDITOR), judged(), refuse_address("//x")):
        assert Decision.from_json(decision.to_json()) == decision


@given(
    st.booleans(),
    st.none() | st.just(NOW),
    st.none() | st.just(NOW),
    st.none() | st.just(NOW),
    st.none() | st.just(NOW),
    st.integers(-90, 90),
    st.sampled_from(Asks),
    st.booleans(),
)
def test_no_combination_of_faults_opens_the_door(
    carried: bool,
    ended: datetime | None,
    locked: datetime | None,
    deleted: datetime | None,
    confirmed: datetime | None,
    minutes: int,
    asks: Asks,
    editor: bool,
) -> None:
    at = NOW + timedelta(minutes=minutes)
    facts = account(locked_at=locked, deleted_at=deleted, confirmed_at=confirmed, held=(EDITOR,) if editor else ())
    presented = Presented(carried, session(ended_at=ended) if carried else None, facts if carried else None)
    value = {Asks.ROLE: "editor", Asks.PERMISSION: "pages:write"}.get(asks, "")
    named = ("editor",) if asks in {Asks.ANY_ROLE, Asks.ALL_ROLES} else ()
    decision = decide(presented, Requirement(asks, value, roles=named), at)
    sound = carried and not ended and not locked and not deleted and confirmed and minutes < 59
    wanted = asks is Asks.ANYONE or (
        sound
        and (asks is Asks.SIGNED_IN or (asks in {Asks.ROLE, Asks.ANY_ROLE, Asks.ALL_ROLES, Asks.PERMISSION} and editor))
    )
    assert decision.allowed == bool(wanted)
    assert decision.allowed or decision.remedy
