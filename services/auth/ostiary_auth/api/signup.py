"""Signing up and confirming an address, for programs. The answer never tells whether an address was known."""

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import Problem, Told
from ostiary_auth.doorway.binding import confirming, origin
from ostiary_auth.doorway.entering import desk, leave_mark
from ostiary_auth.doorway.inputs import Confirming, JustEmail, SignUp
from ostiary_auth.flows import confirm, resend, signup
from ostiary_auth.flows.confirm import AlreadyConfirmed, Confirmed
from ostiary_auth.flows.one_time import Dead
from ostiary_auth.flows.signup import Wish
from ostiary_shared.errors import Gone
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_signup", __name__, url_prefix="/api/v1/signup")

SENT = "If the address is right, a mail is on its way to it."
DEAD = "This link or code does not work any more."


@blueprint.post("")
@door(ANYONE, limits.SIGN_UP)
@document_request(SignUp)
@document_response(Told, 202)
@document_response(Problem, 422)
@tag(["sign-up"])
async def sign_up() -> ResponseReturnValue:
    """Ask for an account. It is usable once the mailed link or code is used."""
    signup.must_be_open(desk())
    body = await read_json(SignUp)
    await signup.sign_up(desk(), Wish(body.email, body.password.get_secret_value(), body.name, origin()))
    return {"detail": SENT}, 202


@blueprint.post("/resend")
@door(ANYONE, limits.MAIL)
@document_request(JustEmail)
@document_response(Told, 202)
@tag(["sign-up"])
async def send_again() -> ResponseReturnValue:
    """Ask for the confirmation mail once more."""
    body = await read_json(JustEmail)
    async with begin_work() as work:
        await resend.resend(work, body.email)
    return {"detail": SENT}, 202


@blueprint.post("/confirm")
@door(ANYONE, limits.TOKEN)
@document_request(Confirming)
@document_response(Told, 200)
@document_response(Problem, 410)
@document_response(Problem, 422)
@tag(["sign-up"])
async def use() -> ResponseReturnValue:
    """Confirm the address by `token`, or by `email` and `code`.

    The sign-up's password counts if it came from the same browser or, without its cookie, from the same network.
    Otherwise the answer is 422 naming `password`: send one along, and it becomes the account's. The proof stays good.
    """
    body = await read_json(Confirming)
    match await confirm.confirm(desk(), confirming(body)):
        case Confirmed() as done:
            return leave_mark(jsonify({"detail": "The address is confirmed. Sign in now."}), done.device), 200
        case AlreadyConfirmed():
            return {"detail": "The address is confirmed already."}, 200
        case Dead():
            raise Gone(DEAD)
