"""Living sessions of everybody or of one person, and ending them."""

from gettext import gettext as _
from uuid import UUID

from quart import Blueprint, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import sessions as acts
from ostiary_admin.inputs.listing import Back, OfSomebody
from ostiary_admin.pages import lists
from ostiary_admin.pages.acts import back, fields, softly, tell
from ostiary_admin.queries import sessions
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/admin/sessions")
@door(needs(Permission.SESSIONS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Who is signed in, the latest first."""
    query = await lists.kindly(OfSomebody)
    async with begin_work() as work:
        page = await sessions.page(work, query.user, lists.place(query.keys))
    return await render_template("sessions.html", page=page, query=query, links=lists.neighbours(page))


@blueprint.post("/admin/sessions/<uuid:session_id>/end")
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def end(session_id: UUID) -> ResponseReturnValue:
    """End one session."""
    sent = await fields(Back)
    async with softly():
        async with begin_act() as work:
            done = await acts.end(work, session_id)
        await tell(done, _("The session was ended."), _("The session was over already."), work.receipt)
    return back("/admin/sessions", sent.back)


@blueprint.post("/admin/users/<uuid:user_id>/sessions/end")
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def end_all(user_id: UUID) -> ResponseReturnValue:
    """Sign a person out everywhere."""
    async with softly():
        async with begin_act() as work:
            ended = await acts.end_all(work, user_id)
        await tell(ended, _("Signed out everywhere."), _("There was no session to end."), work.receipt)
    return back(f"/admin/users/{user_id}")
