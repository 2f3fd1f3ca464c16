"""Protected sites: host, name and the ordered rules of who may enter which part."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from ostiary_admin.flows import rules
from ostiary_admin.flows.rules import MOST_RULES, Rule
from ostiary_admin.tools import AdminWork
from ostiary_shared import revocation, site_address
from ostiary_shared.errors import Conflict, FieldError, Invalid, NotFound
from ostiary_shared.events import Event
from ostiary_shared.models import Role, Site, SiteRule
from ostiary_shared.store import audit, sites

CHANGED = "Somebody changed this site since you read it. Look at it again before you replace what they did."


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


async def change(work: AdminWork, site_id: UUID, wanted: Wanted, read: str = "") -> bool:
    """Let a site be exactly so; False when nothing differs. In force from the next request.

    `read` is the version that the caller has read: raises Conflict when somebody changed the site since then.
    """
    site = await _locked(work, site_id)
    kept = await sites.rules(work.session, site_id)
    if read and read != sites.version(site, kept):
        raise Conflict(CHANGED)
    await _check(work, wanted)
    before, after = _facts(Wanted(site.name, site.host, tuple(map(rules.of, kept)))), _facts(wanted)
    differing = [key for key in before | after if before.get(key) != after.get(key)]
    if not differing:
        return False
    await _rename(work, site, wanted)
    await sites.replace_rules(work.session, site_id, _rows(wanted))
    changes = (_only(differing, before), _only(differing, after))
    await audit.record(work, Event.SITE_UPDATED, audit.Target(site_id, wanted.host), changes=changes)
    return True


async def delete(work: AdminWork, site_id: UUID) -> str:
    """Forget a site; its host. From then on the gate lets nobody in there."""
    site = await _locked(work, site_id)
    kept = await sites.rules(work.session, site_id)
    before = _facts(Wanted(site.name, site.host, tuple(map(rules.of, kept))))
    host = site.host
    await work.session.delete(site)
    revocation.mark(work.session)
    await audit.record(work, Event.SITE_DELETED, audit.Target(site_id, host), changes=(before, {}))
    return host


async def _check(work: AdminWork, wanted: Wanted) -> None:
    faults = []
    if objection := site_address.objection_to_site(wanted.host):
        words = f"Please enter a host such as wiki.example.org or *.example.org: {objection}."
        faults.append(FieldError("host", words))
    if len(wanted.rules) > MOST_RULES:
        faults.append(FieldError("rules", f"Please use at most {MOST_RULES} rules."))
    roles = set(await work.session.scalars(select(Role.name)))
    if faults := [*faults, *rules.faults(wanted.rules, roles)]:
        raise Invalid(*faults)


async def _locked(work: AdminWork, site_id: UUID) -> Site:
    site = await work.session.scalar(select(Site).where(Site.id == site_id).with_for_update())
    if site is None:
        raise NotFound("There is no such site.")
    return site


async def _rename(work: AdminWork, site: Site, wanted: Wanted) -> None:
    """Nobody is asked first whether the host is free: two who want it at the same time would both hear yes."""
    try:
        async with work.session.begin_nested():
            site.name, site.host = wanted.name, wanted.host
    except IntegrityError as error:
        raise _taken() from error


def _taken() -> Invalid:
    return Invalid(FieldError("host", "There is a site with this host already."))


def _rows(wanted: Wanted) -> list[SiteRule]:
    return [rules.row_of(rule) for rule in wanted.rules]


def _facts(wanted: Wanted) -> dict[str, Any]:
    """For the audit log: one line a rule, so that a change shows the rules that it touched and no others."""
    numbered = {f"rule {number}": rules.sentence(rule) for number, rule in enumerate(wanted.rules, 1)}
    return {"name": wanted.name, "host": wanted.host, **numbered}


def _only(keys: list[str], facts: dict[str, Any]) -> dict[str, Any]:
    return {key: facts[key] for key in keys if key in facts}
