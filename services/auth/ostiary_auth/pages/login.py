"""The sign-in page. Whoever is signed in already is sent on, unless they are asked to sign in again."""

from quart import Blueprint, Response, flash, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import attempt, desk, let_form_lead_to, let_in, see_other, way_on
from ostiary_auth.doorway.inputs import SignInForm
from ostiary_auth.flows import login, signup
from ostiary_auth.flows.login import NotConfirmed, Refused, SignedIn
from ostiary_auth.flows.onward import Onward
from ostiary_shared.errors import TooMany
from ostiary_shared.web.door import ANYONE, door, maybe_identity
from ostiary_shared.web.forms import Form, read_form

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
@door(ANYONE, limits.PAGE)
async def page() -> ResponseReturnValue:
    wanted, again = request.args.get("next", ""), request.args.get("again") == "1"
    who = maybe_identity()
    if who and not again:
        return await _go_on(await way_on(wanted))
    return await _show(Form(values={"next": wanted, "email": who.email if who else ""}))


@blueprint.post("/login")
@door(ANYONE, limits.SIGN_IN)
async def sign_in() -> ResponseReturnValue:
    sent = await read_form(SignInForm)
    if sent.data is None:
        return await _show(sent, 422)
    try:
        outcome = await login.sign_in(desk(), attempt(sent.data))
    except TooMany as too_many:
        sent.errors[""] = too_many.detail
        shown = await _show(sent, 429)
        shown.headers["Retry-After"] = str(too_many.retry_after)
        return shown
    match outcome:
        case SignedIn():
            return let_in(await _go_on(await way_on(sent.data.next)), outcome)
        case NotConfirmed(email):
            return Response(await render_template("not_confirmed.html", email=email), 403, mimetype="text/html")
        case Refused():
            sent.errors[""] = login.WRONG
            return await _show(sent, 422)


async def _show(sent: Form[SignInForm], status: int = 200) -> Response:
    wanted = sent.values.get("next", "")
    onward = await way_on(wanted)
    html = await render_template(
        "login.html",
        values=sent.values,
        errors=sent.errors,
        wanted=wanted,
        onward=onward,
        again=maybe_identity() is not None,
        open_here=signup.is_open(desk()),
    )
    return let_form_lead_to(Response(html, status, mimetype="text/html"), onward.origin)


async def _go_on(onward: Onward) -> Response:
    if onward.blind:
        await flash(
            f"You are signed in, but {onward.blind} cannot be told: it was not opened over HTTPS. "
            "Open it with https:// in its address, or tell your administrator.",
            "warn",
        )
    return see_other(onward.url)
