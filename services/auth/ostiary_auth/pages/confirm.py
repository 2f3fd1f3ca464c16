"""The page behind the link of a confirmation mail: one button, and the form for its typed twin.

On another device than the one of the sign-up it asks for a password, too.
"""

from quart import Blueprint, Response, flash, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.binding import confirming, origin
from ostiary_auth.doorway.entering import desk, kept_address, leave_mark, see_other
from ostiary_auth.doorway.inputs import Confirming
from ostiary_auth.doorway.proving import turn_down
from ostiary_auth.flows import confirm
from ostiary_auth.flows.confirm import AlreadyConfirmed, Confirmed, Live
from ostiary_auth.flows.one_time import Dead
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("confirm", __name__)

DEAD = "This link or code does not work any more. It may be too old, or a newer one was sent."
ALREADY = "Your address is confirmed already. You can sign in."


@blueprint.get("/signup/confirm")
@door(ANYONE, limits.TOKEN)
async def page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    if not token:
        return await _show(Form(values={"email": kept_address()}))
    return await _behind_link(Form(values={"token": token}), 200)


@blueprint.post("/signup/confirm")
@door(ANYONE, limits.TOKEN)
async def use() -> ResponseReturnValue:
    sent = await read_form(Confirming)
    try:
        if sent.data:
            return await _answer(sent, await confirm.confirm(desk(), confirming(sent.data)))
    except Invalid as invalid:
        sent.reject(invalid)
    if sent.values.get("token"):
        return await _behind_link(sent, 422)
    return await _show(sent, 422)


async def _answer(sent: Form[Confirming], outcome: confirm.Outcome) -> ResponseReturnValue:
    match outcome:
        case Confirmed():
            return leave_mark(await _done("Your address is confirmed. Welcome! You can sign in now."), outcome.device)
        case AlreadyConfirmed():
            return await _done(ALREADY)
        case Dead():
            turn_down(sent, DEAD)
            return await _show(sent, 422)


async def _behind_link(sent: Form[Confirming], status: int) -> ResponseReturnValue:
    async with begin_work() as work:
        found = await confirm.look(work, sent.values["token"], origin())
    match found:
        case AlreadyConfirmed():
            return await _done(ALREADY)
        case Dead():
            return await _show(Form(values={"email": kept_address()}, errors={"": DEAD}), 410)
        case Live():
            sent.values["address"] = found.email
            return await _show(sent, status, asks=found.asks_password)


async def _done(text: str) -> Response:
    await flash(text, "good")
    return see_other("/login")


async def _show(sent: Form[Confirming], status: int = 200, *, asks: bool = False) -> ResponseReturnValue:
    asks = asks or "password" in sent.errors
    return await render_template("confirm.html", values=sent.values, errors=sent.errors, asks=asks), status
