"""Protected sites and the rules of their doors."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.networks import Network
from ostiary_shared.store import sites


@dataclass(frozen=True, slots=True)
class RuleRow:
    """Who may enter a part of a site. Empty `methods` means all; `value` names the role or the permission.

    Empty `networks` means from everywhere; `roles` are those of which any or all are asked for.
    """

    path_prefix: str
    methods: list[str]
    asks: str
    value: str
    match: str
    networks: list[Network]
    roles: list[str]
    assurance: int
    fresh_minutes: int | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site, without its rules."""

    id: UUID
    name: str
    host: str
    created_at: datetime
    rule_count: int


@dataclass(frozen=True, slots=True)
class SiteWithRules:
    """A site with its rules, in the order in which they are asked. `version` is another after each change."""

    id: UUID
    name: str
    host: str
    created_at: datetime
    rules: list[RuleRow]
    version: str


async def all_of_them(work: AdminWork) -> list[SiteRow]:
    """Every site, by host. There are few: they are made by hand."""
    rules = select(func.count()).select_from(SiteRule).where(SiteRule.site_id == Site.id).scalar_subquery()
    rows = await work.session.execute(select(Site.id, Site.name, Site.host, Site.created_at, rules).order_by(Site.host))
    return [SiteRow(*row) for row in rows]


async def get(work: AdminWork, site_id: UUID) -> SiteWithRules:
    """One site. Raises NotFound."""
    site = await work.session.get(Site, site_id)
    if site is None:
        raise NotFound("There is no such site.")
    return _with_rules(site, await sites.rules(work.session, site_id))


async def with_rules(work: AdminWork) -> list[SiteWithRules]:
    """Every site with its rules, by host."""
    return [_with_rules(site, rules) for site, rules in await sites.all_with_rules(work.session)]


def _with_rules(site: Site, rules: list[SiteRule]) -> SiteWithRules:
    rows, version = [_row(rule) for rule in rules], sites.version(site, rules)
    return SiteWithRules(site.id, site.name, site.host, site.created_at, rows, version)


def _row(rule: SiteRule) -> RuleRow:
    return RuleRow(
        rule.path_prefix,
        list(rule.methods),
        rule.asks,
        rule.value,
        rule.match,
        list(rule.networks),
        list(rule.roles),
        rule.assurance,
        rule.fresh_minutes,
    )
