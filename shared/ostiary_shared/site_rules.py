"""Which rule of a site decides over a request, and which never will. Gate, console and `explain` all ask here. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Protocol
from uuid import UUID

from ostiary_shared.access import Asks, Check, Decision, Requirement
from ostiary_shared.identity import Account, Presented, SessionFacts
from ostiary_shared.networks import Address, Network
from ostiary_shared.site_address import entries_for, is_at, is_below

DEPENDS = "it depends on where they come from, so ask with an address"
AS_IF = "no living session: told as if they had just signed in"
EXACT = "exact"
_SESSION_CHECKS = frozenset({Check.COOKIE, Check.SESSION, Check.ALIVE})
_EVERYWHERE: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


class Rule(Protocol):
    """Who may enter what lies at or below `path_prefix`, or (`match` is exact) at it alone.

    No methods means all, no networks means from everywhere. `value` names the one role or permission, `roles` those
    of which any or all are asked for.
    """

    @property
    def path_prefix(self) -> str: ...
    @property
    def match(self) -> str: ...
    @property
    def methods(self) -> Sequence[str]: ...
    @property
    def networks(self) -> Sequence[Network]: ...
    @property
    def asks(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def roles(self) -> Sequence[str]: ...
    @property
    def assurance(self) -> int: ...
    @property
    def fresh_minutes(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class AskedOf:
    """What is asked of a site: a canonical path without its query, a method, and from where, if that is known."""

    path: str
    method: str
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """A site as far as a decision needs it: its rules in the order in which they are asked."""

    name: str
    host: str
    rules: Sequence[Rule]

    @property
    def watches_networks(self) -> bool:
        """Whether the answer may depend on where the visitor comes from."""
        return any(rule.networks for rule in self.rules)


def door_at(doors: Mapping[str, Door], host: str) -> Door | None:
    """The site served at `host[:port]` (lower case), out of all by their entries, chosen as `store.sites.at` does."""
    return next((doors[name] for name in entries_for(host) if name in doors), None)


def asked_by(door: Door, asked: AskedOf) -> Requirement:
    """What the first rule that covers the request asks for; none covering it means closed.

    So does a rule that asks where the visitor comes from when that is not known: whether it or a later one counts
    cannot be told, and either may be the stricter one.
    """
    number = deciding(door.rules, asked)
    if number is None:
        return Requirement(Asks.NOBODY, door.host, source=f"no rule of {door.name} covers this address")
    if asked.address is None and door.rules[number].networks:
        return Requirement(Asks.UNTOLD, door.host, source=_source(door, number))
    return demanded(door, number)


def demanded(door: Door, number: int) -> Requirement:
    """What the rule with this index asks for, wherever it decides."""
    rule = door.rules[number]
    fresh = timedelta(minutes=rule.fresh_minutes) if rule.fresh_minutes else None
    return Requirement(Asks(rule.asks), rule.value, rule.assurance, _source(door, number), tuple(rule.roles), fresh)


def deciding(rules: Sequence[Rule], asked: AskedOf) -> int | None:
    """The index of the first rule that covers a request. From an unknown address it may come from anywhere."""
    return next((index for index, rule in enumerate(rules) if _covers(rule, asked)), None)


def falls_to(rules: Sequence[Rule], number: int) -> int | None:
    """The index of the rule that those from elsewhere come to where this one lets in some networks alone, if any."""
    rule = rules[number]
    after = (
        later
        for later in range(number + 1, len(rules))
        if _holds_path(rules[later], rule) and _share_methods(rules[later], rule)
    )
    return next(after, None) if rule.networks else None


def shadow(earlier: Sequence[Rule], rule: Rule) -> int | None:
    """The index of an earlier rule that covers all that `rule` covers, so that `rule` can never match."""
    covering = (
        index
        for index, other in enumerate(earlier)
        if _holds_path(other, rule) and _holds_methods(other, rule) and _holds_networks(other, rule)
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


def _source(door: Door, number: int) -> str:
    rule = door.rules[number]
    where = f"= {rule.path_prefix}" if rule.match == EXACT else rule.path_prefix
    return f"rule {number + 1} of {door.name} ({where})"


def _covers(rule: Rule, asked: AskedOf) -> bool:
    within = is_at if rule.match == EXACT else is_below
    return (
        within(asked.path, rule.path_prefix)
        and (not rule.methods or asked.method in _meant(rule.methods))
        and (not rule.networks or asked.address is None or any(asked.address in network for network in rule.networks))
    )


def _holds_path(other: Rule, rule: Rule) -> bool:
    if other.match == EXACT:
        return rule.match == EXACT and is_at(rule.path_prefix, other.path_prefix)
    return is_below(rule.path_prefix, other.path_prefix)


def _holds_methods(other: Rule, rule: Rule) -> bool:
    return not other.methods or bool(rule.methods and _meant(rule.methods) <= _meant(other.methods))


def _share_methods(one: Rule, other: Rule) -> bool:
    return not one.methods or not other.methods or bool(_meant(one.methods) & _meant(other.methods))


def _holds_networks(other: Rule, rule: Rule) -> bool:
    """Joined first: two halves hold the whole. After that, one network lies within another or apart from it."""
    if not other.networks:
        return True
    joined = _joined(other.networks)
    return all(
        any(_lies_within(network, wider) for wider in joined) for network in _joined(rule.networks or _EVERYWHERE)
    )


def _joined(networks: Iterable[Network]) -> list[Network]:
    four = collapse_addresses(network for network in networks if isinstance(network, IPv4Network))
    six = collapse_addresses(network for network in networks if isinstance(network, IPv6Network))
    return [*four, *six]


def _lies_within(network: Network, wider: Network) -> bool:
    match network, wider:
        case (IPv4Network(), IPv4Network()) | (IPv6Network(), IPv6Network()):
            return network.subnet_of(wider)  # type: ignore[arg-type]
        case _:
            return False


def _meant(methods: Iterable[str]) -> set[str]:
    """HEAD is GET without the body: whoever may ask the one may ask the other."""
    named = set(methods)
    return named | {"HEAD"} if "GET" in named else named
