"""Protected sites and their ordered rules."""

from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, delete, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.site_address import entries_for
from ostiary_shared.tokens import digest


async def at(session: AsyncSession, host: str) -> Site | None:
    """The site served at `host[:port]` (lower case): its own name goes before a wildcard, with port before without."""
    names = entries_for(host)
    found = {site.host: site for site in await session.scalars(select(Site).where(Site.host.in_(names)))}
    return next((found[name] for name in names if name in found), None)


async def rules(session: AsyncSession, site_id: UUID) -> list[SiteRule]:
    """The rules of a site in the order in which they are asked."""
    return list(await session.scalars(select(SiteRule).where(SiteRule.site_id == site_id).order_by(SiteRule.position)))


async def with_rules(session: AsyncSession, host: str) -> tuple[Site, list[SiteRule]] | None:
    """The site served at `host[:port]`, chosen as by `at`, with its ordered rules: one look-up for the gate."""
    names = entries_for(host)
    found = {site.host: (site, kept) for site, kept in await _with_rules(session, Site.host.in_(names))}
    return next((found[name] for name in names if name in found), None)


async def all_with_rules(session: AsyncSession) -> list[tuple[Site, list[SiteRule]]]:
    """Every site with its ordered rules, by host. There are few: they are made by hand."""
    return await _with_rules(session)


async def _with_rules(session: AsyncSession, *which: ColumnElement[bool]) -> list[tuple[Site, list[SiteRule]]]:
    rows = await session.execute(
        select(Site, SiteRule)
        .outerjoin(SiteRule, SiteRule.site_id == Site.id)
        .where(*which)
        .order_by(Site.host, SiteRule.position)
    )
    found: dict[str, tuple[Site, list[SiteRule]]] = {}
    for row in rows:
        site, rule = cast("tuple[Site, SiteRule | None]", row)
        kept = found.setdefault(site.host, (site, []))[1]
        kept += [rule] if rule is not None else []
    return list(found.values())


async def replace_rules(session: AsyncSession, site_id: UUID, wanted: list[SiteRule]) -> None:
    """Let a site have exactly these rules, in this order."""
    revocation.mark(session)
    await session.execute(delete(SiteRule).where(SiteRule.site_id == site_id))
    for position, rule in enumerate(wanted):
        rule.site_id, rule.position = site_id, position
        session.add(rule)
    await session.flush()


def version(site: Site, rules: list[SiteRule]) -> str:
    """A word that is another after each change, for whoever changes what they have read before."""
    return digest(f"{site.name} {site.host} {[rule.id for rule in rules]}").hex()[:16]


async def asking(session: AsyncSession, role: str) -> list[str]:
    """The names of the sites that have a rule for this role, alone or among others."""
    named = or_(and_(SiteRule.asks == "role", SiteRule.value == role), literal(role) == any_(SiteRule.roles))
    return list(
        await session.scalars(
            select(Site.name).where(Site.id.in_(select(SiteRule.site_id).where(named))).order_by(Site.name)
        )
    )
