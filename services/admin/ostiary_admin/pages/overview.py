"""The first page of the console: the state of the house, and what happened lately."""

from quart import Blueprint, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.queries import audit, denials, overview
from ostiary_admin.queries.keyset import Place
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("overview", __name__)
FEW = 6


@blueprint.get("/admin", strict_slashes=False)
@door(needs(Permission.USERS_READ), limits.READ)
async def show() -> ResponseReturnValue:
    """Counts and the latest refusals and acts, as far as the visitor may see them."""
    may = identity().may
    async with begin_work() as work:
        counts = await overview.counts(work)
        refused = (await denials.page(work, None, Place())).items[:FEW] if may(Permission.DENIALS_READ) else []
        events = (await audit.page(work, audit.Filter(), Place())).items[:FEW] if may(Permission.AUDIT_READ) else []
    return await render_template("overview.html", counts=counts, denials=refused, events=events)
