"""People: the list, and creating somebody with an invitation."""

from gettext import gettext as _

from quart import Blueprint, flash, redirect, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import people as acts
from ostiary_admin.inputs.people import NewPerson, PeopleQuery
from ostiary_admin.pages import lists
from ostiary_admin.queries import people, roles
from ostiary_admin.reach import beyond
from ostiary_shared.errors import Invalid
from ostiary_shared.permissions import END_USER, Permission
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.forms import read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("people", __name__)
COLUMNS = ("email", "name", "created", "seen")


@blueprint.get("/admin/users")
@door(needs(Permission.USERS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """People, searched, filtered, sorted and paged by the address."""
    query = await lists.kindly(PeopleQuery)
    wanted = people.Filter(query.q, query.role, query.state, query.confirmed)
    async with begin_work() as work:
        page = await people.page(work, wanted, query.sort, lists.place(query.keys))
        known = [role.name for role in await roles.all_of_them(work)]
    return await render_template(
        "people.html",
        page=page,
        query=query,
        filtered=wanted != people.Filter(),
        role_names=known,
        sorts=lists.sort_links(COLUMNS, query.sort),
        links=lists.neighbours(page),
    )


@blueprint.get("/admin/users/new")
@door(needs(Permission.USERS_CREATE), limits.READ)
async def new() -> ResponseReturnValue:
    """An empty form for somebody new."""
    return await _form({"invite": "1"}, {}, 200)


@blueprint.post("/admin/users/new")
@door(needs(Permission.USERS_CREATE), limits.MAIL)
async def create() -> ResponseReturnValue:
    """Create the person and promise the invitation."""
    sent = await read_form(NewPerson)
    if sent.data is None:
        return await _form(sent.values, sent.errors, 422)
    wanted = sent.data
    try:
        async with begin_act() as work:
            user_id = await acts.create(
                work, acts.Wanted(wanted.email, wanted.name, tuple(wanted.roles), wanted.reason, wanted.invite)
            )
    except Invalid as invalid:
        sent.reject(invalid)
        return await _form(sent.values, sent.errors, 422)
    words = _("%s was created; the invitation is on its way.") if wanted.invite else _("%s was created.")
    await flash(words % wanted.email, "good")
    return redirect(f"/admin/users/{user_id}", 303)


async def _form(values: dict[str, str], errors: dict[str, str], status: int) -> ResponseReturnValue:
    mine = identity()
    async with begin_work() as work:
        known = await roles.all_of_them(work) if mine.may(Permission.GRANTS_WRITE) else []
    offered = [
        (role.name, role.name, role.description)
        for role in known
        if role.name != END_USER and not beyond(mine.permissions, role.permissions)
    ]
    return await render_template("person_new.html", values=values, errors=errors, roles=offered), status
