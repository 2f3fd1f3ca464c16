"""GET /gate/nginx: for auth_request, which passes on nothing but 200, 401 and 403. Two headers carry the rest."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import hide

from ostiary_auth.gate import answers
from ostiary_auth.gate.asked import question
from ostiary_auth.gate.forward import EVERY_REQUEST, METHODS
from ostiary_auth.gate.judging import judged
from ostiary_shared.access import Outcome
from ostiary_shared.web import csrf
from ostiary_shared.web.door import JUDGED_WITHIN, door

blueprint = Blueprint("gate_nginx", __name__)


@blueprint.route("/gate/nginx", methods=METHODS)
@hide
@door(JUDGED_WITHIN, EVERY_REQUEST, csrf.Stance.NOT_NEEDED)
async def nginx() -> ResponseReturnValue:
    """Pass or not; nginx itself sends people to `X-Ostiary-Sign-In` (401) or `X-Ostiary-Denied` (403).

    With which status, says `X-Ostiary-Redirect`: 302 or 303, and 0 for whom no redirect will do.
    """
    asks = question()
    verdict = await judged(asks)
    if verdict.decision.allowed:
        return answers.passed(verdict)
    response = answers.turned_away(verdict, asks)
    response.headers["X-Ostiary-Reference"] = verdict.reference
    response.headers["X-Ostiary-Redirect"] = str(int(asks.manner.redirect))
    if verdict.decision.outcome is Outcome.SIGN_IN:
        response.headers["X-Ostiary-Sign-In"] = answers.sign_in_url(asks)
    else:
        response.headers["X-Ostiary-Denied"] = answers.refused_url(verdict, asks)
    return response
