"""Changing one's own password."""

from quart import Blueprint, flash, render_template
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import desk, see_other, settled
from ostiary_auth.doorway.inputs import PasswordChange
from ostiary_auth.flows import change_password
from ostiary_auth.flows.change_password import Changed
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import SIGNED_IN, door, identity
from ostiary_shared.web.forms import read_form
from ostiary_shared.web.visitor import carry

blueprint = Blueprint("password", __name__)


@blueprint.get("/account/password")
@door(SIGNED_IN, limits.PAGE)
async def page() -> ResponseReturnValue:
    return await render_template("password.html", errors={})


@blueprint.post("/account/password")
@door(SIGNED_IN, limits.ACT)
async def change() -> ResponseReturnValue:
    sent = await read_form(PasswordChange)
    try:
        if sent.data:
            current, new = sent.data.current_password.get_secret_value(), sent.data.password.get_secret_value()
            outcome = await change_password.change(desk(), identity(), current, new)
            if isinstance(outcome, Changed):
                carry(outcome.token, remember=outcome.remember)
                await flash(settled(_told(outcome), outcome.receipt), "good")
                return see_other("/account/password")
            sent.errors["current_password"] = "This is not your current password."
    except Invalid as invalid:
        sent.reject(invalid)
    return await render_template("password.html", errors=sent.errors), 422


def _told(done: Changed) -> str:
    ended = {0: "", 1: " One other sign-in has ended."}.get(done.ended, f" {done.ended} other sign-ins have ended.")
    count = done.revoked
    tokens = {0: "", 1: " Your API token is revoked."}.get(count, f" Your {count} API tokens are revoked.")
    return f"Your password is changed.{ended}{tokens}"
