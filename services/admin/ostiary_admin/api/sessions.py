"""Living sessions by JSON, and ending them."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Revoked, answer, asks, cursor, place, says
from ostiary_admin.door import begin_act
from ostiary_admin.flows import sessions as acts
from ostiary_admin.inputs.listing import OfSomebody
from ostiary_admin.queries import sessions
from ostiary_admin.queries.sessions import SessionRow
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_sessions", __name__, url_prefix="/admin/api/v1")


@dataclass(frozen=True, slots=True)
class Sessions:
    """A page of living sessions."""

    items: list[SessionRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions were ended, and when that was in force everywhere."""

    ended: int
    receipt: Receipt | None = None


@blueprint.get("/sessions")
@says("sessions", Sessions)
@asks(OfSomebody)
@door(needs(Permission.SESSIONS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Living sessions, of one person if asked, the newest first."""
    query = read_query(OfSomebody)
    async with begin_work() as work:
        page = await sessions.page(work, query.user, place(query.keys))
    return answer(Sessions(page.items, cursor(page)))


@blueprint.get("/sessions/<uuid:session_id>")
@says("sessions", SessionRow)
@door(needs(Permission.SESSIONS_READ), limits.READ)
async def show(session_id: UUID) -> ResponseReturnValue:
    """One living session."""
    async with begin_work() as work:
        row = await sessions.get(work, session_id)
    return answer(row)


@blueprint.delete("/sessions/<uuid:session_id>")
@says("sessions", Revoked)
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def end(session_id: UUID) -> ResponseReturnValue:
    """End one session from its next request on."""
    async with begin_act() as work:
        done = await acts.end(work, session_id)
    return answer(Revoked(done, work.receipt))


@blueprint.delete("/users/<uuid:user_id>/sessions")
@says("sessions", Ended)
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def end_all(user_id: UUID) -> ResponseReturnValue:
    """Sign a person out everywhere."""
    async with begin_act() as work:
        ended = await acts.end_all(work, user_id)
    return answer(Ended(ended, work.receipt))
