"""Grants by JSON: who holds which role, giving and ending."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Revoked, answer, asks, cursor, place, says, takes
from ostiary_admin.door import begin_act
from ostiary_admin.flows import grants as acts
from ostiary_admin.inputs.grants import GrantsQuery, NewGrant
from ostiary_admin.inputs.listing import PerhapsBecause
from ostiary_admin.queries import grants
from ostiary_admin.queries.grants import GrantRow
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json, read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_grants", __name__, url_prefix="/admin/api/v1/grants")


@dataclass(frozen=True, slots=True)
class Grants:
    """A page of grants in force."""

    items: list[GrantRow]
    next: str | None


@blueprint.get("")
@says("grants", Grants)
@asks(GrantsQuery)
@door(needs(Permission.USERS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Grants in force, of a role or a person if asked, the newest first."""
    query = read_query(GrantsQuery)
    async with begin_work() as work:
        page = await grants.page(work, query.role, query.user, place(query.keys))
    return answer(Grants(page.items, cursor(page)))


@blueprint.post("")
@says("grants", Revoked, 201)
@takes(NewGrant)
@door(needs(Permission.GRANTS_WRITE), limits.ACT)
async def give() -> ResponseReturnValue:
    """Give a role; 200 and `changed: false` when it is held already."""
    sent = await read_json(NewGrant)
    async with begin_act() as work:
        done = await acts.give(work, acts.Gift(sent.user, sent.role, sent.reason, sent.until))
    return answer(Revoked(done, work.receipt), 201 if done else 200)


@blueprint.delete("/<uuid:grant_id>")
@says("grants", Revoked)
@asks(PerhapsBecause)
@door(needs(Permission.GRANTS_WRITE), limits.ACT)
async def revoke(grant_id: UUID) -> ResponseReturnValue:
    """End a grant from the person's next request on."""
    sent = read_query(PerhapsBecause)
    async with begin_act() as work:
        found = await grants.get(work, grant_id)
        done = await acts.revoke(work, found.user_id, found.role, sent.reason)
    return answer(Revoked(done, work.receipt))
