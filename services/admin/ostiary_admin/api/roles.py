"""Roles by JSON."""

from dataclasses import dataclass

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Revoked, answer, noted, says, takes
from ostiary_admin.door import begin_act
from ostiary_admin.flows import roles as acts
from ostiary_admin.inputs.roles import NewRole, RoleBody
from ostiary_admin.queries import roles
from ostiary_admin.queries.roles import RoleRow
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_roles", __name__, url_prefix="/admin/api/v1/roles")


@dataclass(frozen=True, slots=True)
class Roles:
    """All roles; `next` is always null, for there are few."""

    items: list[RoleRow]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedRole(RoleRow):
    """A role as it is now, and since when that counts everywhere."""

    receipt: Receipt | None


@blueprint.get("")
@says("roles", Roles)
@door(needs(Permission.ROLES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """All roles, by name."""
    async with begin_work() as work:
        found = await roles.all_of_them(work)
    return answer(Roles(found))


@blueprint.post("")
@says("roles", RoleRow, 201)
@takes(NewRole)
@door(needs(Permission.ROLES_WRITE), limits.ACT)
async def create() -> ResponseReturnValue:
    """Make a role, within one's own permissions."""
    sent = await read_json(NewRole)
    async with begin_act() as work:
        await acts.create(work, acts.Definition(sent.name, sent.description, frozenset(sent.permissions)))
        row = await roles.get(work, sent.name)
    return answer(row, 201)


@blueprint.get("/<name>")
@says("roles", RoleRow)
@door(needs(Permission.ROLES_READ), limits.READ)
async def show(name: str) -> ResponseReturnValue:
    """One role."""
    async with begin_work() as work:
        row = await roles.get(work, name)
    return answer(row)


@blueprint.put("/<name>")
@says("roles", ChangedRole)
@takes(RoleBody)
@door(needs(Permission.ROLES_WRITE), limits.ACT)
async def change(name: str) -> ResponseReturnValue:
    """Give a role another description and exactly these permissions."""
    sent = await read_json(RoleBody)
    async with begin_act() as work:
        await acts.change(work, acts.Definition(name, sent.description, frozenset(sent.permissions)))
        row = await roles.get(work, name)
    return answer(noted(ChangedRole, row, work.receipt))


@blueprint.delete("/<name>")
@says("roles", Revoked)
@door(needs(Permission.ROLES_WRITE), limits.ACT)
async def delete(name: str) -> ResponseReturnValue:
    """Delete a role that nobody holds."""
    async with begin_act() as work:
        await acts.delete(work, name)
    return answer(Revoked(changed=True, receipt=work.receipt))
