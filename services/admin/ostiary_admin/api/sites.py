"""Protected sites by JSON, with all their rules."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Revoked, answer, noted, says, takes
from ostiary_admin.door import begin_act
from ostiary_admin.flows import sites as acts
from ostiary_admin.flows.rules import Rule
from ostiary_admin.inputs.sites import SiteBody
from ostiary_admin.queries import sites
from ostiary_admin.queries.sites import SiteRow, SiteWithRules
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_sites", __name__, url_prefix="/admin/api/v1/sites")


@dataclass(frozen=True, slots=True)
class Sites:
    """All sites, without their rules; `next` is always null, for there are few."""

    items: list[SiteRow]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedSite(SiteWithRules):
    """A site as it is now, and since when that counts everywhere."""

    receipt: Receipt | None


@blueprint.get("")
@says("sites", Sites)
@door(needs(Permission.SITES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """All sites, by host."""
    async with begin_work() as work:
        found = await sites.all_of_them(work)
    return answer(Sites(found))


@blueprint.post("")
@says("sites", SiteWithRules, 201)
@takes(SiteBody)
@door(needs(Permission.SITES_WRITE), limits.ACT)
async def create() -> ResponseReturnValue:
    """Add a site."""
    sent = await read_json(SiteBody)
    async with begin_act() as work:
        site_id = await acts.create(work, _wanted(sent))
        row = await sites.get(work, site_id)
    return answer(row, 201)


@blueprint.get("/<uuid:site_id>")
@says("sites", SiteWithRules)
@door(needs(Permission.SITES_READ), limits.READ)
async def show(site_id: UUID) -> ResponseReturnValue:
    """One site with its rules."""
    async with begin_work() as work:
        row = await sites.get(work, site_id)
    return answer(row)


@blueprint.put("/<uuid:site_id>")
@says("sites", ChangedSite)
@takes(SiteBody)
@door(needs(Permission.SITES_WRITE), limits.ACT)
async def change(site_id: UUID) -> ResponseReturnValue:
    """Let a site be exactly so, rules included; with `version`, only if it is still what was read."""
    sent = await read_json(SiteBody)
    async with begin_act() as work:
        await acts.change(work, site_id, _wanted(sent), sent.version)
        row = await sites.get(work, site_id)
    return answer(noted(ChangedSite, row, work.receipt))


@blueprint.delete("/<uuid:site_id>")
@says("sites", Revoked)
@door(needs(Permission.SITES_WRITE), limits.ACT)
async def delete(site_id: UUID) -> ResponseReturnValue:
    """Forget a site; the gate lets nobody in there any more."""
    async with begin_act() as work:
        await acts.delete(work, site_id)
    return answer(Revoked(changed=True, receipt=work.receipt))


def _wanted(body: SiteBody) -> acts.Wanted:
    return acts.Wanted(body.name, body.host, tuple(Rule(**rule.model_dump()) for rule in body.rules))
