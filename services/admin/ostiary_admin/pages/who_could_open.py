"""Who could open this URL? The question, the rule that decides, and the people it would let in."""

from quart import Blueprint, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import require
from ostiary_admin.inputs.sites import WhoQuery
from ostiary_admin.pages import lists
from ostiary_admin.queries import who_could_open
from ostiary_shared.errors import Invalid
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("who_could_open", __name__, url_prefix="/admin/sites/who")


@blueprint.get("")
@door(needs(Permission.SITES_READ), limits.READ)
async def show() -> ResponseReturnValue:
    """The form, and the answer if something was asked. Takes the right to see people, too."""
    await require(Permission.USERS_READ)
    query = await lists.kindly(WhoQuery)
    wanted = who_could_open.Wanted(query.url, query.method.upper(), query.origin)
    found, errors = None, {}
    if query.url:
        try:
            async with begin_work() as work:
                found = await who_could_open.of(work, wanted, lists.place(query.keys))
        except Invalid as invalid:
            errors = {fault.field: fault.message for fault in invalid.errors}
    links = lists.neighbours(found.page) if found else {}
    return await render_template("who_could_open.html", query=query, found=found, errors=errors, links=links)
