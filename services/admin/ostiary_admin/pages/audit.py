"""The audit log, filtered by the address; what changed unfolds below each act."""

from quart import Blueprint, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.inputs.audit import AuditQuery
from ostiary_admin.pages import lists
from ostiary_admin.queries import audit
from ostiary_shared.events import Event
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("audit", __name__)


@blueprint.get("/admin/audit")
@door(needs(Permission.AUDIT_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Who did what, the latest first."""
    query = await lists.kindly(AuditQuery)
    wanted = audit.Filter(query.event, query.actor, query.target, query.since, query.until)
    async with begin_work() as work:
        page = await audit.page(work, wanted, lists.place(query.keys))
    return await render_template(
        "audit.html",
        page=page,
        query=query,
        filtered=wanted != audit.Filter(),
        events=[event.value for event in Event],
        links=lists.neighbours(page),
    )
