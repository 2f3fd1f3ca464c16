"""What a decision is: the outcome, the steps that led to it and what would open the door. Who takes it: `access`."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from ostiary_shared.identity import Account

# What mends a refusal of a program: another token of its person's, or the person themselves.
NEW_TOKEN = "new-token"
USE_SESSION = "use-session"
# What mends a question that says too little: where the visitor comes from.
TELL_ADDRESS = "tell-address"


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

    Kinds: sign-in, unlock, confirm, grant-role, grant-permission, open-rule, add-site, fix-address, trust-proxy,
    tell-address; for programs new-token (`value` names the scopes, with spaces between) and use-session.
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
        personal = self.remedy is None or self.remedy.kind != USE_SESSION
        return personal and self.cause in {Check.ASSURANCE, Check.FRESH}

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
