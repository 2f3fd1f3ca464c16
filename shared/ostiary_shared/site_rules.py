"""Which rule of a site decides over a request, and which never will. Gate, console and `explain` all ask here. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from ostiary_shared.access import Asks, Check, Decision, Requirement
from ostiary_shared.identity import Account, Presented, SessionFacts
from ostiary_shared.site_address import is_below

AS_IF = "no living session: told as if they had just signed in"
_SESSION_CHECKS = frozenset({Check.COOKIE, Check.SESSION, Check.ALIVE})


class Rule(Protocol):
    """Who may enter what begins with `path_prefix`; no methods means all."""

    @property
    def path_prefix(self) -> str: ...
    @property
    def methods(self) -> Sequence[str]: ...
    @property
    def asks(self) -> str: ...
    @property
    def value(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Door:
    """A site as far as a decision needs it: its rules in the order in which they are asked."""

    name: str
    host: str
    rules: Sequence[Rule]


def asked_by(door: Door, path: str, method: str) -> Requirement:
    """What the first rule that covers the request asks for; none covering it means closed."""
    number = deciding(door.rules, path, method)
    if number is None:
        return Requirement(Asks.NOBODY, door.host, source=f"no rule of {door.name} covers this address")
    rule = door.rules[number]
    source = f"rule {number + 1} of {door.name} ({rule.path_prefix})"
    return Requirement(Asks(rule.asks), rule.value, source=source)


def deciding(rules: Sequence[Rule], path: str, method: str) -> int | None:
    """The index of the first rule that covers a canonical path and a method."""
    covering = (
        index
        for index, rule in enumerate(rules)
        if is_below(path, rule.path_prefix) and (not rule.methods or method in _meant(rule.methods))
    )
    return next(covering, None)


def shadow(earlier: Sequence[Rule], rule: Rule) -> int | None:
    """The index of an earlier rule that covers all that `rule` covers, so that `rule` can never match."""
    covering = (
        index
        for index, other in enumerate(earlier)
        if is_below(rule.path_prefix, other.path_prefix)
        and (not other.methods or (rule.methods and _meant(rule.methods) <= _meant(other.methods)))
    )
    return next(covering, None)


def as_if_signed_in(account: Account, now: datetime) -> Presented:
    """What somebody without a session would bring if they had just signed in. Say so with `told_as_if`."""
    hour = timedelta(hours=1)
    session = SessionFacts(UUID(int=0), 1, ("password",), now, now, now, now + hour, hour, None, "")
    return Presented(carried=True, session=session, account=account)


def told_as_if(decision: Decision) -> Decision:
    """The same steps, saying of the session that it is made up."""
    steps = (replace(step, seen=AS_IF) if step.check in _SESSION_CHECKS else step for step in decision.steps)
    return replace(decision, steps=tuple(steps))


def _meant(methods: Iterable[str]) -> set[str]:
    """HEAD is GET without the body: whoever may ask the one may ask the other."""
    named = set(methods)
    return named | {"HEAD"} if "GET" in named else named
