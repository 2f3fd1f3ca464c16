"""The rules of a site as they are written down: what is wrong with them, and what each of them says."""

from collections.abc import Iterable
from dataclasses import dataclass

from ostiary_shared import site_address, site_rules
from ostiary_shared.access import Asks
from ostiary_shared.errors import FieldError
from ostiary_shared.models import SiteRule
from ostiary_shared.networks import Network
from ostiary_shared.permissions import Permission

MOST_RULES = 50
MOST_METHODS = 10
LONGEST_PATH = 500
Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class At:
    """Where a rule was written down: the index that its errors name, and the number it goes by."""

    index: int
    number: int


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may enter what lies at or below `path_prefix`, or (`match` is exact) that path alone, from some networks.

    No methods means all, no networks everywhere. Without `at` it goes by its place.
    """

    path_prefix: str
    methods: tuple[str, ...]
    asks: str
    value: str = ""
    match: str = "prefix"
    networks: tuple[Network, ...] = ()
    roles: tuple[str, ...] = ()
    assurance: int = 1
    fresh_minutes: int | None = None
    at: At | None = None


def of(row: SiteRule) -> Rule:
    """A rule as it was kept."""
    return Rule(
        row.path_prefix,
        tuple(row.methods),
        row.asks,
        row.value,
        row.match,
        tuple(row.networks),
        tuple(row.roles),
        row.assurance,
        row.fresh_minutes,
    )


def row_of(rule: Rule) -> SiteRule:
    """The row that keeps a rule."""
    return SiteRule(
        path_prefix=rule.path_prefix,
        methods=list(rule.methods),
        asks=rule.asks,
        value=rule.value,
        match=rule.match,
        networks=list(rule.networks),
        roles=list(rule.roles),
        assurance=rule.assurance,
        fresh_minutes=rule.fresh_minutes,
    )


def sentence(rule: Rule) -> str:
    """The whole rule in one line, as the audit log keeps it: two rules that differ read differently."""
    where = f"{rule.path_prefix} alone" if rule.match == site_rules.EXACT else rule.path_prefix
    origin = f" from {' '.join(map(str, rule.networks))}" if rule.networks else ""
    named = ", ".join(rule.roles) or rule.value
    strength = f", signed in at level {rule.assurance}" if rule.assurance > 1 else ""
    age = f", signed in within {rule.fresh_minutes} min" if rule.fresh_minutes else ""
    demand = f"{_DEMANDS[Asks(rule.asks)]} {named}".strip()
    return f"{where} {' '.join(rule.methods) or 'any method'}{origin}: {demand}{strength}{age}"


_DEMANDS = {
    Asks.ANYONE: "anyone",
    Asks.SIGNED_IN: "anyone signed in",
    Asks.ROLE: "the role",
    Asks.ANY_ROLE: "one of the roles",
    Asks.ALL_ROLES: "all of the roles",
    Asks.PERMISSION: "the permission",
}


def faults(rules: tuple[Rule, ...], roles: set[str]) -> Iterable[FieldError]:
    """All that is wrong, naming fields such as `rules.2.networks`. `roles` are those that there are."""
    for index, rule in enumerate(rules):
        wrong = _faults(rule, roles) or _shadowed(rules, index)
        for field, words in wrong:
            yield FieldError(f"rules.{_at(rule, index).index}.{field}", words)


def _faults(rule: Rule, roles: set[str]) -> list[Fault]:
    return [*_of_path(rule), *_of_methods(rule), *_of_demand(rule, roles), *_of_sign_in(rule)]


def _of_path(rule: Rule) -> Iterable[Fault]:
    objection = "a path has no query" if "?" in rule.path_prefix else site_address.objection_to_uri(rule.path_prefix)
    if objection or len(rule.path_prefix) > LONGEST_PATH:
        yield "path_prefix", f"Please enter a path as browsers send it: {objection or 'this is too long'}."


def _of_methods(rule: Rule) -> Iterable[Fault]:
    if len(rule.methods) > MOST_METHODS or any(map(site_address.objection_to_method, rule.methods)):
        yield "methods", "Please enter methods such as GET, HEAD, or nothing for all."


def _of_demand(rule: Rule, roles: set[str]) -> Iterable[Fault]:
    several = rule.asks in {Asks.ANY_ROLE, Asks.ALL_ROLES}
    unknown = [name for name in rule.roles if name not in roles]
    if several and not rule.roles:
        yield "roles", "Please name the roles, such as editor, author."
    elif several and unknown:
        yield "roles", f"There is no role {unknown[0]}."
    elif rule.roles and not several:
        yield "roles", "This is only for a rule that asks for one or all of several roles."
    if rule.asks == Asks.ROLE and rule.value not in roles:
        yield "value", "There is no such role."
    elif rule.asks == Asks.PERMISSION and rule.value not in set(Permission):
        yield "value", "There is no such permission."
    elif rule.value and rule.asks not in {Asks.ROLE, Asks.PERMISSION}:
        yield "value", "This is only for a role or a permission."


def _of_sign_in(rule: Rule) -> Iterable[Fault]:
    words = "Whom this rule lets in need not sign in at all. Leave this out, or ask for a sign-in."
    if rule.asks == Asks.ANYONE and rule.assurance > 1:
        yield "assurance", words
    if rule.asks == Asks.ANYONE and rule.fresh_minutes is not None:
        yield "fresh_minutes", words


def _shadowed(rules: tuple[Rule, ...], index: int) -> list[Fault]:
    """What to say of a rule that an earlier one covers: nobody would ever notice that it does nothing."""
    other = site_rules.shadow(rules[:index], rules[index])
    if other is None:
        return []
    number, first = _at(rules[index], index).number, _at(rules[other], other).number
    words = f"Rule {number} can never match: rule {first} covers it. Give it a smaller number."
    return [("path_prefix", words)]


def _at(rule: Rule, index: int) -> At:
    return rule.at or At(index, index + 1)
