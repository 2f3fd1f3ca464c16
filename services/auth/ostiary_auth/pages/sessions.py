"""Where one is signed in, and ending that."""

from uuid import UUID

from quart import Blueprint, flash, render_template
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import let_out, see_other, settled
from ostiary_auth.flows import own_sessions
from ostiary_shared import clock
from ostiary_shared.errors import NotFound
from ostiary_shared.web.door import SIGNED_IN, door, identity
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/account/sessions")
@door(SIGNED_IN, limits.PAGE)
async def page() -> ResponseReturnValue:
    async with begin_work() as work:
        mine = await own_sessions.mine(work, identity())
    return await render_template("sessions.html", sessions=mine, now=clock.now())


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@door(SIGNED_IN, limits.ACT)
async def end(session_id: UUID) -> ResponseReturnValue:
    try:
        async with begin_work() as work:
            await own_sessions.end(work, identity(), session_id)
    except NotFound as over:
        await flash(over.detail, "info")
        return see_other("/account/sessions")
    if session_id == identity().session.id:
        let_out()
        await flash(settled("You are signed out.", work.receipt), "good")
        return see_other("/login")
    await flash(settled("That session has ended.", work.receipt), "good")
    return see_other("/account/sessions")


@blueprint.post("/account/sessions/end-others")
@door(SIGNED_IN, limits.ACT)
async def end_others() -> ResponseReturnValue:
    async with begin_work() as work:
        ended = await own_sessions.end_others(work, identity())
    told = {0: "There was no other session.", 1: "One other session has ended."}
    await flash(settled(told.get(ended, f"{ended} other sessions have ended."), work.receipt), "good")
    return see_other("/account/sessions")
