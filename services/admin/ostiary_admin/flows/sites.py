"""Protected sites: host, name and the ordered rules of who may enter which part."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ostiary_admin.tools import AdminWork
from ostiary_shared import revocation, site_address, site_rules
from ostiary_shared.access import Asks
from ostiary_shared.errors import FieldError, Invalid, NotFound
from ostiary_shared.events import Event
from ostiary_shared.models import Role, Site, SiteRule
from ostiary_shared.permissions import Permission
from ostiary_shared.site_rules import Network
from ostiary_shared.store import audit, sites

MOST_RULES = 50
MOST_METHODS = 10
LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class At:
    """Where a rule was written down: the index that its errors name, and the number it goes by."""

    index: int
    number: int


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may enter what begins with `path_prefix`; no methods means all. Without `at` it goes by its place."""

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a site is to be. `rules` are asked in this order; the first that matches decides."""

    name: str
    host: str
    rules: tuple[Rule, ...]


async def create(work: AdminWork, wanted: Wanted) -> UUID:
    """A new site. Raises Invalid naming fields (`host`, `rules.2.path_prefix`, …)."""
    await _check(work, wanted)
    statement = insert(Site).values(name=wanted.name, host=wanted.host).on_conflict_do_nothing().returning(Site.id)
    site_id = await work.session.scalar(statement)
    if site_id is None:
        raise _taken()
    await sites.replace_rules(work.session, site_id, _rows(wanted))
    changes: tuple[dict[str, Any], dict[str, Any]] = ({}, _facts(wanted))
    await audit.record(work, Event.SITE_CREATED, audit.Target(site_id, wanted.host), changes=changes)
    return site_id


async def change(work: AdminWork, site_id: UUID, wanted: Wanted) -> bool:
    """Let a site be exactly so; False when nothing differs. In force from the next request."""
    site = await _locked(work, site_id)
    await _check(work, wanted)
    other = await work.session.scalar(select(Site.id).where(Site.host == wanted.host, Site.id != site_id))
    if other is not None:
        raise _taken()
    before, after = _facts(await _present(work, site)), _facts(wanted)
    differing = [key for key in after if before[key] != after[key]]
    if not differing:
        return False
    site.name, site.host = wanted.name, wanted.host
    await work.session.flush()
    await sites.replace_rules(work.session, site_id, _rows(wanted))
    changes = ({key: before[key] for key in differing}, {key: after[key] for key in differing})
    await audit.record(work, Event.SITE_UPDATED, audit.Target(site_id, wanted.host), changes=changes)
    return True


async def delete(work: AdminWork, site_id: UUID) -> str:
    """Forget a site; its host. From then on the gate lets nobody in there."""
    site = await _locked(work, site_id)
    before = _facts(await _present(work, site))
    host = site.host
    await work.session.delete(site)
    revocation.mark(work.session)
    await audit.record(work, Event.SITE_DELETED, audit.Target(site_id, host), changes=(before, {}))
    return host


async def _check(work: AdminWork, wanted: Wanted) -> None:
    faults = []
    if objection := site_address.objection_to_host(wanted.host):
        faults.append(FieldError("host", f"Please enter a host such as wiki.example.org: {objection}."))
    if len(wanted.rules) > MOST_RULES:
        faults.append(FieldError("rules", f"Please use at most {MOST_RULES} rules."))
    roles = set(await work.session.scalars(select(Role.name)))
    for index, rule in enumerate(wanted.rules):
        wrong = _faults(rule, roles) or _shadowed(wanted.rules, index)
        faults += [FieldError(f"rules.{_at(rule, index).index}.{field}", words) for field, words in wrong]
    if faults:
        raise Invalid(*faults)


def _faults(rule: Rule, roles: set[str]) -> list[tuple[str, str]]:
    faults = []
    objection = "a path has no query" if "?" in rule.path_prefix else site_address.objection_to_uri(rule.path_prefix)
    if objection or len(rule.path_prefix) > LONGEST_PATH:
        faults.append(("path_prefix", f"Please enter a path as browsers send it: {objection or 'this is too long'}."))
    if len(rule.methods) > MOST_METHODS or any(map(site_address.objection_to_method, rule.methods)):
        faults.append(("methods", "Please enter methods such as GET, HEAD, or nothing for all."))
    match rule.asks:
        case Asks.ROLE:
            wrong = "" if rule.value in roles else "There is no such role."
        case Asks.PERMISSION:
            wrong = "" if rule.value in set(Permission) else "There is no such permission."
        case _:
            wrong = "This is only for a role or a permission." if rule.value else ""
    return [*faults, ("value", wrong)] if wrong else faults


def _shadowed(rules: tuple[Rule, ...], index: int) -> list[tuple[str, str]]:
    """What to say of a rule that an earlier one covers: nobody would ever notice that it does nothing."""
    other = site_rules.shadow(rules[:index], rules[index])
    if other is None:
        return []
    number, first = _at(rules[index], index).number, _at(rules[other], other).number
    words = f"Rule {number} can never match: rule {first} covers it. Give it a smaller number."
    return [("path_prefix", words)]


def _at(rule: Rule, index: int) -> At:
    return rule.at or At(index, index + 1)


async def _locked(work: AdminWork, site_id: UUID) -> Site:
    site = await work.session.scalar(select(Site).where(Site.id == site_id).with_for_update())
    if site is None:
        raise NotFound("There is no such site.")
    return site


async def _present(work: AdminWork, site: Site) -> Wanted:
    rows = await sites.rules(work.session, site.id)
    return Wanted(
        site.name, site.host, tuple(Rule(row.path_prefix, tuple(row.methods), row.asks, row.value) for row in rows)
    )


def _taken() -> Invalid:
    return Invalid(FieldError("host", "There is a site with this host already."))


def _rows(wanted: Wanted) -> list[SiteRule]:
    return [
        SiteRule(path_prefix=rule.path_prefix, methods=list(rule.methods), asks=rule.asks, value=rule.value)
        for rule in wanted.rules
    ]


def _facts(wanted: Wanted) -> dict[str, Any]:
    rules = [
        f"{rule.path_prefix} {' '.join(rule.methods) or 'any method'}: {rule.asks} {rule.value}".strip()
        for rule in wanted.rules
    ]
    return {"name": wanted.name, "host": wanted.host, "rules": rules}
