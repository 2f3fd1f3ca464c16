"""A forgotten password, and a first one by invitation, for programs."""

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import Problem, Told, ToldInForce
from ostiary_auth.doorway.entering import desk, leave_mark
from ostiary_auth.doorway.inputs import JustEmail, NewPassword
from ostiary_auth.flows import recover, reset
from ostiary_auth.flows.one_time import Dead
from ostiary_auth.flows.reset import INVITE, RECOVER, Reset
from ostiary_shared.errors import Gone
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_recover", __name__, url_prefix="/api/v1")

SENT = "If an account has this address, a mail is on its way to it."
DEAD = "This link or code does not work any more."


@blueprint.post("/recover")
@door(ANYONE, limits.MAIL)
@document_request(JustEmail)
@document_response(Told, 202)
@tag(["recovery"])
async def ask() -> ResponseReturnValue:
    """Ask for a recovery mail."""
    body = await read_json(JustEmail)
    async with begin_work() as work:
        await recover.recover(work, body.email)
    return {"detail": SENT}, 202


@blueprint.post("/recover/reset")
@door(ANYONE, limits.TOKEN)
@document_request(NewPassword)
@document_response(ToldInForce, 200)
@document_response(Problem, 410)
@tag(["recovery"])
async def renew() -> ResponseReturnValue:
    """Set a new password by `token`, or by `email` and `code`. All sessions end; this starts none."""
    body = await read_json(NewPassword)
    return await _set(Reset(RECOVER, body.proof(), body.password.get_secret_value()))


@blueprint.post("/invitation")
@door(ANYONE, limits.TOKEN)
@document_request(NewPassword)
@document_response(ToldInForce, 200)
@document_response(Problem, 410)
@tag(["recovery"])
async def accept() -> ResponseReturnValue:
    """Accept an invitation by choosing the first password."""
    body = await read_json(NewPassword)
    return await _set(Reset(INVITE, body.proof(), body.password.get_secret_value()))


async def _set(wanted: Reset) -> ResponseReturnValue:
    outcome = await reset.reset(desk(), wanted)
    if isinstance(outcome, Dead):
        raise Gone(DEAD)
    receipt = outcome.receipt.to_json() if outcome.receipt else None
    told = {"detail": "The password is set. Sign in with it now.", "receipt": receipt}
    return leave_mark(jsonify(told), outcome.device), 200
