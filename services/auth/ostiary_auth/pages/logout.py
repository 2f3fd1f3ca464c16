"""Signing out: a button, never a link."""

from quart import Blueprint, flash
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import let_out, presented, see_other, settled
from ostiary_auth.flows import logout
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("logout", __name__)


@blueprint.post("/logout")
@door(ANYONE, limits.ACT)
async def sign_out() -> ResponseReturnValue:
    async with begin_work() as work:
        await logout.sign_out(work, presented())
    let_out()
    await flash(settled("You are signed out.", work.receipt), "good")
    return see_other("/login")
