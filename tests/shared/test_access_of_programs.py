"""What the steps say when a program came with a token: of the token, and of its owner only what is true of them."""

from datetime import timedelta

import pytest

from ostiary_shared.access import Asks, Check, Decision, Outcome, Requirement, Step, decide
from ostiary_shared.identity import API_TOKEN, HeldRole, Presented, narrowed
from tests.shared.test_access import EDITOR, HOUR, NOW, account, session

FINANCE = HeldRole("finance", frozenset({"bills:read"}), NOW - HOUR, "ada@example.test")


def judged(requirement: Requirement, *scopes: str, held: tuple[HeldRole, ...] = (EDITOR, FINANCE)) -> Decision:
    program = session(methods=(API_TOKEN,))
    return decide(Presented(True, program, narrowed(account(held=held), scopes)), requirement, NOW)


def step_of(decision: Decision, check: Check) -> Step:
    return next(step for step in decision.steps if step.check is check)


@pytest.mark.parametrize(
    ("requirement", "scopes", "wanted"),
    [
        (Requirement(Asks.ROLE, "finance"), ("role:editor",), "role:finance"),
        (Requirement(Asks.ANY_ROLE, roles=("boss", "finance", "editor")), (), "role:finance"),
        (Requirement(Asks.ALL_ROLES, roles=("finance", "editor")), (), "role:finance role:editor"),
        (Requirement(Asks.PERMISSION, "bills:read"), ("role:editor",), "role:finance bills:read"),
        (Requirement(Asks.PERMISSION, "bills:read"), ("role:finance",), "bills:read"),
    ],
)
def test_what_only_the_token_lacks_takes_another_token_and_no_grant(
    requirement: Requirement, scopes: tuple[str, ...], wanted: str
) -> None:
    decision = judged(requirement, *scopes)
    assert decision.outcome is Outcome.REFUSED
    assert decision.remedy is not None
    assert (decision.remedy.kind, decision.remedy.value) == ("new-token", wanted)
    assert decision.remedy.words == f"Make a token with {wanted.replace(' ', ' and ')}."
    assert decision.cause is not None
    assert step_of(decision, decision.cause).seen == "the person holds it, this token is not given it"
    assert judged(requirement, *scopes, *wanted.split()).allowed


@pytest.mark.parametrize(
    "requirement",
    [Requirement(Asks.ROLE, "boss"), Requirement(Asks.ALL_ROLES, roles=("editor", "boss"))],
)
def test_what_the_owner_lacks_too_takes_a_grant(requirement: Requirement) -> None:
    decision = judged(requirement, "role:boss")
    assert decision.remedy is not None
    assert (decision.remedy.kind, decision.remedy.value) == ("grant-role", "boss")
    assert step_of(decision, Check.ROLE).seen == "the person holds editor, finance"


def test_the_steps_speak_of_the_token() -> None:
    decision = judged(Requirement(Asks.SIGNED_IN))
    seen = [step.seen for step in decision.steps if step.check in {Check.COOKIE, Check.SESSION, Check.ALIVE}]
    assert seen == ["an API token", f"API token {session().id}", "good until 2026-01-02 12:59 UTC"]
    gone = session(methods=(API_TOKEN,), ended_at=NOW, ended_reason="handed back")
    decision = decide(Presented(True, gone, account()), Requirement(Asks.SIGNED_IN), NOW)
    assert (decision.outcome, decision.cause) == (Outcome.SIGN_IN, Check.ALIVE)
    assert step_of(decision, Check.ALIVE).seen == "revoked 2026-01-02 12:00 UTC: handed back"
    assert step_of(decision, Check.ALIVE).remedy == "Make a new token."


@pytest.mark.parametrize(
    "requirement", [Requirement(Asks.SIGNED_IN, fresh=timedelta(minutes=5)), Requirement(Asks.SIGNED_IN, assurance=2)]
)
def test_a_program_is_not_told_to_sign_in_again(requirement: Requirement) -> None:
    decision = judged(requirement)
    assert decision.outcome is Outcome.REFUSED
    assert decision.remedy is not None
    assert decision.remedy.words == "Use the page in a browser; a program's token cannot meet this rule."
    for kept in (decision, Decision.from_json(decision.to_json())):
        assert not kept.wants_another_sign_in


def test_a_token_where_none_is_taken_is_called_that() -> None:
    decision = decide(Presented(carried=True, misplaced=True), Requirement(Asks.SIGNED_IN), NOW)
    assert (decision.outcome, decision.cause) == (Outcome.SIGN_IN, Check.SESSION)
    assert step_of(decision, Check.SESSION).seen == "an API token, which this door does not take"
    assert decision.remedy is not None
    assert decision.remedy.kind == "use-session"
