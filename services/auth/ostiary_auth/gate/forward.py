"""GET /gate: for proxies that hand our answer to the client as it is (Caddy's forward_auth, Traefik's forwardAuth)."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import hide

from ostiary_auth.gate import answers
from ostiary_auth.gate.asked import question
from ostiary_auth.gate.judging import judged
from ostiary_shared.access import Outcome
from ostiary_shared.web import csrf
from ostiary_shared.web.door import JUDGED_WITHIN, Unlimited, door

blueprint = Blueprint("gate", __name__)

EVERY_REQUEST = Unlimited("asked for every request of a site; strangers cost one look-up at most")
# Should a proxy ask with the client's own method, that is judged, too. Without OPTIONS here Quart would answer 200.
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@blueprint.route("/gate", methods=METHODS)
@hide
@door(JUDGED_WITHIN, EVERY_REQUEST, csrf.Stance.NOT_NEEDED)
async def forward() -> ResponseReturnValue:
    """Pass, or send people to a page and tell programs in JSON."""
    asks = question()
    redirect = asks.manner.redirect
    verdict = await judged(asks, keep_sign_in=not redirect)
    if verdict.decision.allowed:
        return answers.passed(verdict)
    if not redirect:
        return answers.turned_away(verdict, asks)
    if verdict.decision.outcome is Outcome.SIGN_IN:
        return answers.sent(answers.sign_in_url(asks), redirect)
    return answers.sent(answers.refused_url(verdict, asks), redirect)
