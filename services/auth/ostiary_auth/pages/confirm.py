"""The page behind the link of a confirmation mail: one button, and the form for its typed twin."""

from quart import Blueprint, flash, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import keep_address, kept_address, see_other
from ostiary_auth.doorway.inputs import MailProof
from ostiary_auth.flows import confirm
from ostiary_auth.flows.confirm import AlreadyConfirmed, Confirmed
from ostiary_auth.flows.one_time import Dead
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("confirm", __name__)

DEAD = "This link or code does not work any more. It may be too old, or a newer one was sent."


@blueprint.get("/signup/confirm")
@door(ANYONE, limits.TOKEN)
async def page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    if not token:
        return await _show(Form(values={"email": kept_address()}))
    async with begin_work() as work:
        found = await confirm.is_live(work, token)
    match found:
        case AlreadyConfirmed():
            return await _done("Your address is confirmed already. You can sign in.")
        case Dead():
            return await _show(Form(values={"email": kept_address()}, errors={"": DEAD}), 410)
        case _:
            return await render_template("confirm.html", token=token, address=found.email, values={}, errors={})


@blueprint.post("/signup/confirm")
@door(ANYONE, limits.TOKEN)
async def use() -> ResponseReturnValue:
    sent = await read_form(MailProof)
    try:
        if sent.data:
            async with begin_work() as work:
                outcome = await confirm.confirm(work, sent.data.proof())
            return await _answer(sent, outcome)
    except Invalid as invalid:
        sent.reject(invalid)
    return await _show(sent, 422)


async def _answer(sent: Form[MailProof], outcome: confirm.Outcome) -> ResponseReturnValue:
    match outcome:
        case Confirmed(email, has_password=False):
            await flash("Your address is confirmed. Now choose a password: we send you a link for it.", "good")
            return keep_address(see_other("/recover"), email)
        case Confirmed():
            return await _done("Your address is confirmed. Welcome! You can sign in now.")
        case AlreadyConfirmed():
            return await _done("Your address is confirmed already. You can sign in.")
        case Dead():
            sent.errors[""] = DEAD
            return await _show(sent, 422)


async def _done(text: str) -> ResponseReturnValue:
    await flash(text, "good")
    return see_other("/login")


async def _show(sent: Form[MailProof], status: int = 200) -> ResponseReturnValue:
    return await render_template("confirm.html", token="", address="", values=sent.values, errors=sent.errors), status
