"""The page behind the link of an invitation: the first password."""

from quart import Blueprint, flash, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import desk, keep_address, leave_mark, see_other
from ostiary_auth.doorway.inputs import NewPassword
from ostiary_auth.doorway.proving import turn_down
from ostiary_auth.flows import reset
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.reset import INVITE, Reset
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("invitation", __name__)

DEAD = "This invitation was accepted already, or is too old. Try to sign in, or ask for a new one."


@blueprint.get("/invitation")
@door(ANYONE, limits.TOKEN)
async def page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    if not token:
        return await _show(Form())
    sent: Form[NewPassword] = Form(values={"token": token})
    return await _show(sent) if await _name(sent) else await _show(Form(errors={"": DEAD}), 410)


@blueprint.post("/invitation")
@door(ANYONE, limits.TOKEN)
async def accept() -> ResponseReturnValue:
    sent = await read_form(NewPassword)
    try:
        if sent.data:
            wanted = Reset(INVITE, sent.data.proof(), sent.data.password.get_secret_value())
            outcome = await reset.reset(desk(), wanted)
            if not isinstance(outcome, Dead):
                await flash("Your account is ready. Welcome! You can sign in now.", "good")
                return leave_mark(keep_address(see_other("/login"), outcome.email), outcome.device)
            turn_down(sent, DEAD)
    except Invalid as invalid:
        sent.reject(invalid)
    await _name(sent)
    return await _show(sent, 422)


async def _name(sent: Form[NewPassword]) -> bool:
    """Say for whom the invitation behind a link is; whether it is good still."""
    if not sent.values.get("token"):
        return False
    async with begin_work() as work:
        user = await reset.look(work, INVITE, Proof(sent.values["token"]))
    sent.values["address"] = user.email if user else ""
    return user is not None


async def _show(sent: Form[NewPassword], status: int = 200) -> ResponseReturnValue:
    return await render_template("invitation.html", values=sent.values, errors=sent.errors), status
