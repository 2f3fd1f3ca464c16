"""The one function that decides access, and the steps it took. Pages, API, gate, console and `explain` all ask here.

A decision is a value: it reads nothing and writes nothing. Recording a refusal is the caller's business.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ostiary_shared.identity import API_TOKEN, Account, HeldRole, Presented, SessionFacts
from ostiary_shared.requirement import Asks, Requirement, minutes

__all__ = [
    "Asks",
    "Check",
    "Decision",
    "Outcome",
    "Remedy",
    "Requirement",
    "Step",
    "decide",
    "refuse_address",
    "refuse_proxy",
    "restated",
    "turned_down",
]


class Check(StrEnum):
    """The steps of a decision, in the order in which they are taken."""

    PROXY = "proxy"
    ADDRESS = "address"
    COOKIE = "cookie"
    SESSION = "session"
    ALIVE = "alive"
    ACCOUNT = "account"
    CONFIRMED = "confirmed"
    ASSURANCE = "assurance"
    FRESH = "fresh"
    ROLE = "role"
    PERMISSION = "permission"
    RULE = "rule"
    REQUEST = "request"  # the door was open, but what was asked there was refused


class Outcome(StrEnum):
    """What the door does."""

    ALLOWED = "allowed"
    SIGN_IN = "sign_in"  # 401: whoever it is must sign in (again)
    REFUSED = "refused"  # 403: known, and not allowed


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would open the door. `kind` and `value` let the console do it with one click.

    Kinds: sign-in, unlock, confirm, grant-role, grant-permission, open-rule, add-site, fix-address, trust-proxy.
    """

    kind: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """One check: what was asked, whether it passed, what was seen, and what would mend it.

    `passed` is None for the rule that asked for what an earlier step found missing: it was not at fault itself.
    """

    check: Check
    title: str
    passed: bool | None
    seen: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome with every step that led to it. `cause` is the check that failed."""

    outcome: Outcome
    steps: tuple[Step, ...]
    cause: Check | None = None
    remedy: Remedy | None = None
    account: Account | None = field(default=None, compare=False)

    @property
    def allowed(self) -> bool:
        """Whether the door opens."""
        return self.outcome is Outcome.ALLOWED

    @property
    def wants_another_sign_in(self) -> bool:
        """Whether somebody who is signed in would get further by signing in once more."""
        return self.cause in {Check.ASSURANCE, Check.FRESH}

    def to_json(self) -> dict[str, Any]:
        """A form that can be kept and shown later; the account is kept beside it, not in it."""
        return {
            "outcome": self.outcome.value,
            "cause": self.cause.value if self.cause else None,
            "remedy": asdict(self.remedy) if self.remedy else None,
            "steps": [asdict(step) for step in self.steps],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The decision that `to_json` kept."""
        return cls(
            Outcome(kept["outcome"]),
            tuple(Step(**{**step, "check": Check(step["check"])}) for step in kept["steps"]),
            Check(kept["cause"]) if kept["cause"] else None,
            Remedy(**kept["remedy"]) if kept["remedy"] else None,
        )


def decide(presented: Presented, requirement: Requirement, now: datetime) -> Decision:
    """Whether a request that brought `presented` meets `requirement` at `now`. Pure; never raises."""
    steps: list[Step] = []
    if requirement.asks is Asks.ANYONE:
        return Decision(Outcome.ALLOWED, (_rule(requirement, passed=True),), account=presented.account)
    if requirement.asks in {Asks.NOBODY, Asks.NOWHERE}:  # signing in would not help: do not send anybody there
        return _closed(Outcome.REFUSED, steps, requirement, _open_rule(requirement), presented.account)
    remedy = _session_steps(presented, now, steps)
    if remedy:
        return _closed(Outcome.SIGN_IN, steps, requirement, remedy, presented.account)
    session, account = presented.session, presented.account
    if session is None or account is None:  # the steps above refuse both; a broken caller must not open the door
        return _closed(Outcome.SIGN_IN, steps, requirement, _SIGN_IN, account)
    remedy = (
        _account_steps(account, steps)
        or _sign_in_steps(session, requirement, now, steps)
        or _requirement_step(account, requirement, steps)
    )
    if remedy:
        return _closed(Outcome.REFUSED, steps, requirement, remedy, account)
    return Decision(Outcome.ALLOWED, (*steps, _rule(requirement, passed=True)), account=account)


def refuse_address(seen: str) -> Decision:
    """The decision for an address that is not written the one canonical way; nothing else is looked at."""
    remedy = Remedy("fix-address", "", "Use the address as the site itself links it.")
    return _unheard(Check.ADDRESS, "Is the address written the one canonical way?", seen, remedy)


def refuse_proxy(seen: str, remedy: str) -> Decision:
    """The decision when whoever asks for a site is no reverse proxy of ours, or one that does not say enough."""
    return _unheard(Check.PROXY, "Does a reverse proxy of ours ask?", seen, Remedy("trust-proxy", "", remedy))


def restated(remedy: Remedy, email: str) -> Remedy:
    """A kept remedy in words that name the person's present address. Words that named none stay as they are."""
    head, _nobody, tail = _FOR.get(remedy.kind, "").format(value=remedy.value, email="\0").partition("\0")
    if not tail or not (remedy.words.startswith(head) and remedy.words.endswith(tail)):
        return remedy
    return _for(remedy.kind, remedy.value, email)


def _unheard(check: Check, title: str, seen: str, remedy: Remedy) -> Decision:
    return Decision(Outcome.REFUSED, (Step(check, title, passed=False, seen=seen, remedy=remedy.words),), check, remedy)


def _open_rule(requirement: Requirement) -> Remedy:
    if requirement.asks is Asks.NOWHERE:
        return Remedy("add-site", requirement.value, f"Add a site for {requirement.value}, with rules that open it.")
    return Remedy("open-rule", requirement.value, "Add a rule that opens this address.")


_SIGN_IN = Remedy("sign-in", "", "Sign in.")
_AGAIN = Remedy("sign-in", "", "Sign in again.")
_FOR = {
    "unlock": "Unlock {email}.",
    "confirm": "Confirm the address {email}.",
    "grant-role": "Grant {value} to {email}.",
    "grant-permission": "Grant {email} a role with the permission {value}.",
}


def _for(kind: str, value: str, email: str) -> Remedy:
    return Remedy(kind, value, _FOR[kind].format(value=value, email=email))


def _session_steps(presented: Presented, now: datetime, steps: list[Step]) -> Remedy | None:
    _take(
        steps,
        Step(
            Check.COOKIE,
            "Did the request carry a session?",
            presented.carried,
            "a session cookie or token" if presented.carried else "neither cookie nor token",
            _SIGN_IN.words,
        ),
    )
    if not presented.carried:
        return _SIGN_IN
    session = presented.session
    _take(
        steps,
        Step(
            Check.SESSION,
            "Is the session known?",
            session is not None,
            f"session {session.id}" if session else "no session has this token",
            _SIGN_IN.words,
        ),
    )
    if session is None:
        return _SIGN_IN
    end = _end_of(session, now)
    _take(
        steps,
        Step(
            Check.ALIVE,
            "Is the session still alive?",
            not end,
            end or f"alive until {_date(session.idle_until())}",
            _SIGN_IN.words,
        ),
    )
    return _SIGN_IN if end else None


def _end_of(session: SessionFacts, now: datetime) -> str:
    """Why a session is over, in words; empty while it is alive."""
    if session.ended_at:
        return f"ended {_date(session.ended_at)}: {session.ended_reason}"
    if now >= session.expires_at:
        return f"reached its longest life {_date(session.expires_at)}"
    if now >= session.idle_until():
        return f"unused since {_date(session.last_seen_at)}"
    return ""


def _account_steps(account: Account, steps: list[Step]) -> Remedy | None:
    usable = account.locked_at is None and account.deleted_at is None
    unlock = _for("unlock", str(account.id), account.email)
    _take(steps, Step(Check.ACCOUNT, "Is the account usable?", usable, _state_of(account), unlock.words))
    if not usable:
        return unlock
    confirm = _for("confirm", str(account.id), account.email)
    _take(
        steps,
        Step(
            Check.CONFIRMED,
            "Is the e-mail address confirmed?",
            account.confirmed_at is not None,
            f"confirmed {_date(account.confirmed_at)}" if account.confirmed_at else "not confirmed",
            confirm.words,
        ),
    )
    return None if account.confirmed_at else confirm


def _sign_in_steps(session: SessionFacts, requirement: Requirement, now: datetime, steps: list[Step]) -> Remedy | None:
    enough = session.assurance >= requirement.assurance
    _take(
        steps,
        Step(
            Check.ASSURANCE,
            "Was the sign-in strong enough?",
            enough,
            f"level {session.assurance} by {', '.join(session.methods)}; level {requirement.assurance} is asked",
            _AGAIN.words,
        ),
    )
    if not enough or requirement.fresh is None:
        return None if enough else _AGAIN
    program = API_TOKEN in session.methods
    came = "a program's token, by which nobody signs in" if program else f"signed in {_date(session.authenticated_at)}"
    seen = f"{came}; within {minutes(requirement.fresh)} is asked"
    recent = not program and now - session.authenticated_at <= requirement.fresh
    _take(steps, Step(Check.FRESH, "Was the sign-in recent enough?", recent, seen, _AGAIN.words))
    return None if recent else _AGAIN


def _state_of(account: Account) -> str:
    if account.deleted_at:
        return f"deleted {_date(account.deleted_at)}"
    if account.locked_at:
        return f"locked {_date(account.locked_at)}" + (f": {account.locked_reason}" if account.locked_reason else "")
    return f"{account.email}, active"


def _requirement_step(account: Account, requirement: Requirement, steps: list[Step]) -> Remedy | None:
    match requirement.asks:
        case Asks.SIGNED_IN:
            return None
        case Asks.ROLE:
            return _roles_step(account, (requirement.value,), requirement, steps)
        case Asks.ANY_ROLE | Asks.ALL_ROLES:
            return _roles_step(account, requirement.roles, requirement, steps)
        case Asks.PERMISSION:
            holder = next((role for role in account.held if requirement.value in role.permissions), None)
            remedy = _for("grant-permission", requirement.value, account.email)
            title = f"Is the permission {requirement.value} held?"
            seen = _grant(holder) if holder else _roles_of(account)
            _take(steps, Step(Check.PERMISSION, title, holder is not None, seen, remedy.words))
            return None if holder else remedy
        case _:
            return _open_rule(requirement)


def _roles_step(account: Account, asked: tuple[str, ...], requirement: Requirement, steps: list[Step]) -> Remedy | None:
    """One role, any or all of several; of no role at all nobody holds any."""
    held = [role for role in account.held if role.name in asked]
    missing = [name for name in asked if name not in {role.name for role in held}]
    enough = bool(asked) and (not missing if requirement.asks is Asks.ALL_ROLES else bool(held))
    title = {
        Asks.ANY_ROLE: f"Is one of the roles {', '.join(asked)} held?",
        Asks.ALL_ROLES: f"Are all of the roles {', '.join(asked)} held?",
    }.get(requirement.asks, f"Is the role {requirement.value} held?")
    remedy = _for("grant-role", missing[0], account.email) if missing else _open_rule(requirement)
    seen = "; ".join(map(_grant, held)) if enough else _roles_of(account)
    _take(steps, Step(Check.ROLE, title, enough, seen, remedy.words))
    return None if enough else remedy


def _roles_of(account: Account) -> str:
    return f"holds {', '.join(account.roles)}" if account.held else "holds no role"


def _grant(holder: HeldRole) -> str:
    until = f", until {_date(holder.until)}" if holder.until else ""
    return f"from the role {holder.name}, granted {_date(holder.since)} by {holder.by}{until}"


def _closed(
    outcome: Outcome, steps: list[Step], requirement: Requirement, remedy: Remedy, account: Account | None
) -> Decision:
    failed = next((step for step in steps if not step.passed), None)
    rule = _rule(requirement, passed=None if failed else False, remedy="" if failed else remedy.words)
    cause = failed.check if failed else Check.RULE
    return Decision(outcome, (*steps, rule), cause, remedy, account)


def _rule(requirement: Requirement, *, passed: bool | None, remedy: str = "") -> Step:
    where = requirement.source or "this page"
    return Step(Check.RULE, "Which rule decided?", passed, f"{where}: {requirement.words()}", remedy)


def _take(steps: list[Step], step: Step) -> None:
    """Add a step; what passed needs no remedy."""
    steps.append(Step(step.check, step.title, step.passed, step.seen) if step.passed else step)


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def turned_down(outcome: Outcome, seen: str) -> Decision:
    """The decision on a request that passed the door and was refused for what it asked, such as a wrong password."""
    step = Step(Check.REQUEST, "Could the request be granted?", passed=False, seen=seen)
    return Decision(outcome, (step,), Check.REQUEST)
