"""The one function that decides access, and the steps it took. Pages, API, gate, console and `explain` all ask here.

A decision is a value: it reads nothing and writes nothing. Recording a refusal is the caller's business.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ostiary_shared.identity import Account, HeldRole, Presented, SessionFacts


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
    ROLE = "role"
    PERMISSION = "permission"
    RULE = "rule"
    REQUEST = "request"  # the door was open, but what was asked there was refused


class Outcome(StrEnum):
    """What the door does."""

    ALLOWED = "allowed"
    SIGN_IN = "sign_in"  # 401: whoever it is must sign in (again)
    REFUSED = "refused"  # 403: known, and not allowed


class Asks(StrEnum):
    """Who may enter."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    ROLE = "role"
    PERMISSION = "permission"
    NOBODY = "nobody"  # no rule matched: closed unless opened
    NOWHERE = "nowhere"  # nobody has set up a site of that name


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a door asks for. `source` says in words where the demand is written down."""

    asks: Asks
    value: str = ""
    assurance: int = 1
    source: str = ""

    def words(self) -> str:
        """The demand as part of a sentence."""
        match self.asks:
            case Asks.ANYONE:
                return "anyone may enter"
            case Asks.SIGNED_IN:
                return "anyone signed in may enter"
            case Asks.ROLE:
                return f"asks for the role {self.value}"
            case Asks.PERMISSION:
                return f"asks for the permission {self.value}"
            case Asks.NOBODY | Asks.NOWHERE:
                return "nobody may enter"


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
    remedy = _account_steps(account, session, requirement, steps) or _requirement_step(account, requirement, steps)
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


def _account_steps(
    account: Account, session: SessionFacts, requirement: Requirement, steps: list[Step]
) -> Remedy | None:
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
    if account.confirmed_at is None:
        return confirm
    enough = session.assurance >= requirement.assurance
    _take(
        steps,
        Step(
            Check.ASSURANCE,
            "Was the sign-in strong enough?",
            enough,
            f"level {session.assurance} by {', '.join(session.methods)}; level {requirement.assurance} is asked",
            _SIGN_IN.words,
        ),
    )
    return None if enough else _SIGN_IN


def _state_of(account: Account) -> str:
    if account.deleted_at:
        return f"deleted {_date(account.deleted_at)}"
    if account.locked_at:
        return f"locked {_date(account.locked_at)}" + (f": {account.locked_reason}" if account.locked_reason else "")
    return f"{account.email}, active"


def _requirement_step(account: Account, requirement: Requirement, steps: list[Step]) -> Remedy | None:
    match requirement.asks:
        case Asks.ROLE:
            holder = next((role for role in account.held if role.name == requirement.value), None)
            remedy = _for("grant-role", requirement.value, account.email)
            _take(
                steps,
                Step(
                    Check.ROLE,
                    f"Is the role {requirement.value} held?",
                    holder is not None,
                    _held(holder, account),
                    remedy.words,
                ),
            )
        case Asks.PERMISSION:
            holder = next((role for role in account.held if requirement.value in role.permissions), None)
            remedy = _for("grant-permission", requirement.value, account.email)
            _take(
                steps,
                Step(
                    Check.PERMISSION,
                    f"Is the permission {requirement.value} held?",
                    holder is not None,
                    _held(holder, account),
                    remedy.words,
                ),
            )
        case Asks.NOBODY | Asks.NOWHERE:
            return _open_rule(requirement)
        case _:
            return None
    return None if holder else remedy


def _held(holder: HeldRole | None, account: Account) -> str:
    if holder is None:
        return f"holds {', '.join(account.roles)}" if account.held else "holds no role"
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
    steps.append(replace(step, remedy="") if step.passed else step)


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def turned_down(outcome: Outcome, seen: str) -> Decision:
    """The decision on a request that passed the door and was refused for what it asked, such as a wrong password."""
    step = Step(Check.REQUEST, "Could the request be granted?", passed=False, seen=seen)
    return Decision(outcome, (step,), Check.REQUEST)
