"""The sign-up page, and sending the confirmation once more. The answer never tells whether an address was known."""

from quart import Blueprint, Response, flash, render_template
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.binding import bind, origin
from ostiary_auth.doorway.entering import desk, keep_address, kept_address, see_other
from ostiary_auth.doorway.inputs import JustEmail, SignUp
from ostiary_auth.flows import resend, signup
from ostiary_auth.flows.signup import Wish
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("signup", __name__)

SENT = "If the address is right, a mail is on its way to it. Open the link in it, or type its code here."


@blueprint.get("/signup")
@door(ANYONE, limits.PAGE)
async def page() -> ResponseReturnValue:
    return bind(await _show(Form()))


@blueprint.post("/signup")
@door(ANYONE, limits.SIGN_UP)
async def sign_up() -> ResponseReturnValue:
    signup.must_be_open(desk())
    sent = await read_form(SignUp)
    if sent.data is None:
        return await _show(sent, 422)
    try:
        password = sent.data.password.get_secret_value()
        await signup.sign_up(desk(), Wish(sent.data.email, password, sent.data.name, origin()))
    except Invalid as invalid:
        sent.reject(invalid)
        return await _show(sent, 422)
    return await _sent(sent.data.email)


@blueprint.get("/signup/resend")
@door(ANYONE, limits.PAGE)
async def resend_page() -> ResponseReturnValue:
    return await render_template("resend.html", values={"email": kept_address()}, errors={})


@blueprint.post("/signup/resend")
@door(ANYONE, limits.MAIL)
async def send_again() -> ResponseReturnValue:
    sent = await read_form(JustEmail)
    try:
        if sent.data:
            async with begin_work() as work:
                await resend.resend(work, sent.data.email)
            return await _sent(sent.data.email)
    except Invalid as invalid:
        sent.reject(invalid)
    return await render_template("resend.html", values=sent.values, errors=sent.errors), 422


async def _sent(email: str) -> Response:
    await flash(SENT, "info")
    return keep_address(see_other("/signup/confirm"), email)


async def _show(sent: Form[SignUp], status: int = 200) -> Response:
    if signup.is_open(desk()):
        html = await render_template("signup.html", values=sent.values, errors=sent.errors)
    else:
        html, status = await render_template("signup_closed.html"), 200
    return Response(html, status, mimetype="text/html")
