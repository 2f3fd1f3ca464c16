"""Changing one's own address, and the page behind the link that confirms it."""

from quart import Blueprint, flash, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import desk, keep_address, kept_address, see_other, settled
from ostiary_auth.doorway.inputs import EmailChange, MailProof
from ostiary_auth.doorway.proving import turn_down
from ostiary_auth.flows import change_email
from ostiary_auth.flows.change_email import Asked
from ostiary_auth.flows.one_time import Dead
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, SIGNED_IN, door, identity, maybe_identity
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("email", __name__)

SENT = "If the address can be yours, a mail is on its way to it. Open the link in it, or type its code here."
DEAD = "This link or code does not work any more. Ask for the change once more."


@blueprint.get("/account/email")
@door(SIGNED_IN, limits.PAGE)
async def page() -> ResponseReturnValue:
    return await render_template("email.html", values={}, errors={})


@blueprint.post("/account/email")
@door(SIGNED_IN, limits.MAIL)
async def ask() -> ResponseReturnValue:
    sent = await read_form(EmailChange)
    try:
        if sent.data:
            current = sent.data.current_password.get_secret_value()
            outcome = await change_email.ask(desk(), identity(), sent.data.email, current)
            if isinstance(outcome, Asked):
                await flash(SENT, "info")
                return keep_address(see_other("/account/email/confirm"), outcome.email)
            sent.errors["current_password"] = "This is not your password."
    except Invalid as invalid:
        sent.reject(invalid)
    return await render_template("email.html", values=sent.values, errors=sent.errors), 422


@blueprint.get("/account/email/confirm")
@door(ANYONE, limits.TOKEN)
async def confirm_page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    if not token:
        return await _show(Form(values={"email": kept_address()}))
    async with begin_work() as work:
        address = await change_email.is_live(work, token)
    if address is None:
        return await _show(Form(errors={"": DEAD}), 410)
    return await _show(Form(values={"token": token, "address": address}))


@blueprint.post("/account/email/confirm")
@door(ANYONE, limits.TOKEN)
async def confirm() -> ResponseReturnValue:
    sent = await read_form(MailProof)
    try:
        if sent.data:
            async with begin_work() as work:
                outcome = await change_email.confirm(work, sent.data.proof(), maybe_identity())
            if not isinstance(outcome, Dead):
                words = f"Your address is {outcome.email} now. Everywhere else you have been signed out."
                await flash(settled(words, work.receipt), "good")
                return keep_address(see_other("/"), outcome.email)
            turn_down(sent, DEAD)
    except Invalid as invalid:
        sent.reject(invalid)
    return await _show(sent, 422)


async def _show(sent: Form[MailProof], status: int = 200) -> ResponseReturnValue:
    return await render_template("email_confirm.html", values=sent.values, errors=sent.errors), status
