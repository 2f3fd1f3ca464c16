"""The audit log by JSON."""

from dataclasses import dataclass

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import answer, asks, cursor, place, says
from ostiary_admin.inputs.audit import AuditQuery
from ostiary_admin.queries import audit
from ostiary_admin.queries.audit import AuditRow
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_audit", __name__, url_prefix="/admin/api/v1")


@dataclass(frozen=True, slots=True)
class Events:
    """A page of the audit log."""

    items: list[AuditRow]
    next: str | None


@blueprint.get("/audit")
@says("audit", Events)
@asks(AuditQuery)
@door(needs(Permission.AUDIT_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Who did what to whom, the latest first."""
    query = read_query(AuditQuery)
    wanted = audit.Filter(query.event, query.actor, query.target, query.since, query.until)
    async with begin_work() as work:
        page = await audit.page(work, wanted, place(query.keys))
    return answer(Events(page.items, cursor(page)))
