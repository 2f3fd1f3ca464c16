"""Roles: the list, what each permits, and the forms that make and change them."""

from gettext import gettext as _
from typing import Any

from quart import Blueprint, flash, redirect, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import roles as acts
from ostiary_admin.inputs.roles import NewRole, RoleBody
from ostiary_admin.pages.acts import back, said, softly, tell
from ostiary_admin.queries import roles
from ostiary_admin.queries.roles import RoleRow
from ostiary_admin.reach import beyond
from ostiary_shared.errors import Invalid
from ostiary_shared.permissions import MEANINGS, Permission
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("roles", __name__, url_prefix="/admin/roles")


@blueprint.get("")
@door(needs(Permission.ROLES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """All roles."""
    async with begin_work() as work:
        found = await roles.all_of_them(work)
    return await render_template("roles.html", roles=found, meanings=MEANINGS)


@blueprint.get("/new")
@door(needs(Permission.ROLES_WRITE), limits.READ)
async def new() -> ResponseReturnValue:
    """An empty form."""
    nothing: dict[str, Any] = {"permissions": []}
    return await _form(None, Form(values=nothing), 200)


@blueprint.post("/new")
@door(needs(Permission.ROLES_WRITE), limits.ACT)
async def create() -> ResponseReturnValue:
    """Make the role."""
    sent = await read_form(NewRole)
    if sent.data is None:
        return await _form(None, sent, 422)
    wanted = sent.data
    try:
        async with begin_act() as work:
            await acts.create(work, acts.Definition(wanted.name, wanted.description, frozenset(wanted.permissions)))
    except Invalid as invalid:
        sent.reject(invalid)
        return await _form(None, sent, 422)
    await flash(_("The role “%s” was made.") % wanted.name, "good")
    return redirect(f"/admin/roles/{wanted.name}", 303)


@blueprint.get("/<name>")
@door(needs(Permission.ROLES_READ), limits.READ)
async def show(name: str) -> ResponseReturnValue:
    """What one role permits, and who has it."""
    async with begin_work() as work:
        role = await roles.get(work, name)
    above = beyond(identity().permissions, role.permissions)
    return await render_template("role.html", role=role, meanings=MEANINGS, above=above)


@blueprint.get("/<name>/edit")
@door(needs(Permission.ROLES_WRITE), limits.READ)
async def edit(name: str) -> ResponseReturnValue:
    """The form with everything filled in."""
    async with begin_work() as work:
        role = await roles.get(work, name)
    values: dict[str, Any] = {"description": role.description, "permissions": role.permissions}
    return await _form(role, Form(values=values), 200)


@blueprint.post("/<name>/edit")
@door(needs(Permission.ROLES_WRITE), limits.ACT)
async def save(name: str) -> ResponseReturnValue:
    """Keep the form; in force from everybody's next request."""
    sent = await read_form(RoleBody)
    if sent.data is None:
        async with begin_work() as work:
            role = await roles.get(work, name)
        return await _form(role, sent, 422)
    wanted = acts.Definition(name, sent.data.description, frozenset(sent.data.permissions))
    async with softly():
        async with begin_act() as work:
            done = await acts.change(work, wanted)
        yes = _("Saved. It counts from the next request of everybody who has the role.")
        await tell(done, yes, _("Nothing was changed."), work.receipt)
    return back(f"/admin/roles/{name}")


@blueprint.post("/<name>/delete")
@door(needs(Permission.ROLES_WRITE), limits.ACT)
async def delete(name: str) -> ResponseReturnValue:
    """Delete the role, if nobody holds it."""
    where = f"/admin/roles/{name}"
    async with softly():
        async with begin_act() as work:
            await acts.delete(work, name)
        await flash(said(_("The role “%s” was deleted.") % name, work.receipt), "good")
        where = "/admin/roles"
    return back(where)


async def _form(role: RoleRow | None, form: Form[NewRole] | Form[RoleBody], status: int) -> ResponseReturnValue:
    mine = identity().permissions
    held = frozenset(role.permissions) if role else frozenset[str]()
    offered = [(p.value, p.value, MEANINGS[p]) for p in Permission if p in mine or p in held]
    return await render_template(
        "role_edit.html", role=role, values=form.values, errors=form.errors, permissions=offered
    ), status
