"""The page for a forgotten password, and the one behind the link of the mail."""

from quart import Blueprint, flash, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import desk, keep_address, kept_address, leave_mark, see_other, settled
from ostiary_auth.doorway.inputs import JustEmail, NewPassword
from ostiary_auth.doorway.proving import turn_down
from ostiary_auth.flows import recover, reset
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.reset import RECOVER, Reset
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("recover", __name__)

SENT = "If an account has this address, a mail is on its way to it. Open the link in it, or type its code here."
DEAD = "This link or code does not work any more. It may be too old, used, or replaced by a newer one."


@blueprint.get("/recover")
@door(ANYONE, limits.PAGE)
async def page() -> ResponseReturnValue:
    return await render_template("recover.html", values={"email": kept_address()}, errors={})


@blueprint.post("/recover")
@door(ANYONE, limits.MAIL)
async def ask() -> ResponseReturnValue:
    sent = await read_form(JustEmail)
    try:
        if sent.data:
            async with begin_work() as work:
                await recover.recover(work, sent.data.email)
            await flash(SENT, "info")
            return keep_address(see_other("/recover/reset"), sent.data.email)
    except Invalid as invalid:
        sent.reject(invalid)
    return await render_template("recover.html", values=sent.values, errors=sent.errors), 422


@blueprint.get("/recover/reset")
@door(ANYONE, limits.TOKEN)
async def reset_page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    if not token:
        return await _show(Form(values={"email": kept_address()}))
    async with begin_work() as work:
        user = await reset.look(work, RECOVER, Proof(token))
    if user is None:
        return await _show(Form(values={"email": kept_address()}, errors={"": DEAD}), 410)
    return await _show(Form(values={"token": token}))


@blueprint.post("/recover/reset")
@door(ANYONE, limits.TOKEN)
async def use() -> ResponseReturnValue:
    sent = await read_form(NewPassword)
    try:
        if sent.data:
            wanted = Reset(RECOVER, sent.data.proof(), sent.data.password.get_secret_value())
            outcome = await reset.reset(desk(), wanted)
            if not isinstance(outcome, Dead):
                words = "You have a new password, and every other sign-in has ended. Sign in with it now."
                await flash(settled(words, outcome.receipt), "good")
                return leave_mark(see_other("/login"), outcome.device)
            turn_down(sent, DEAD)
    except Invalid as invalid:
        sent.reject(invalid)
    return await _show(sent, 422)


async def _show(sent: Form[NewPassword], status: int = 200) -> ResponseReturnValue:
    return await render_template("reset.html", values=sent.values, errors=sent.errors), status
