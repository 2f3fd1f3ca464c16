"""Signing in and out, and who is signed in, for programs."""

from typing import Any

from quart import Blueprint, Response, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import Entered, Problem, Signed
from ostiary_auth.doorway.entering import attempt, desk, let_in, let_out, presented
from ostiary_auth.doorway.inputs import SignInJson
from ostiary_auth.flows import login, logout
from ostiary_auth.flows.login import NotConfirmed, Refused, SignedIn
from ostiary_shared.errors import Forbidden, Unauthenticated
from ostiary_shared.web.door import ANYONE, SIGNED_IN, Unlimited, door, identity
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_session", __name__, url_prefix="/api/v1")


@blueprint.post("/login")
@door(ANYONE, limits.SIGN_IN)
@document_request(SignInJson)
@document_response(Entered, 200)
@document_response(Problem, 401)
@tag(["sign-in"])
async def sign_in() -> ResponseReturnValue:
    """Sign in with a password. Sets the session cookie; `"token": true` asks for the token in the answer, too."""
    body = await read_json(SignInJson)
    match await login.sign_in(desk(), attempt(body)):
        case SignedIn() as entered:
            return let_in(_entered(entered, show_token=body.token), entered)
        case NotConfirmed():
            raise Forbidden(
                "Confirm your e-mail address first: a mail with a link and a code went to it.", "email_not_confirmed"
            )
        case Refused():
            raise Unauthenticated(login.WRONG)


@blueprint.post("/logout")
@door(ANYONE, limits.ACT)
@document_response(dict[str, Any], 204)
@tag(["sign-in"])
async def sign_out() -> ResponseReturnValue:
    """End the session that the cookie or bearer token carries. Fine without one, too."""
    async with begin_work() as work:
        await logout.sign_out(work, presented())
    let_out()
    return "", 204


@blueprint.get("/session")
@door(SIGNED_IN, Unlimited("asked by other services for each of their requests"), machines=True, asking=True)
@document_response(Signed, 200)
@document_response(Problem, 401)
@tag(["sign-in"])
async def who() -> ResponseReturnValue:
    """Who is this? By the session cookie or a bearer token: a session's, or a program's (`osp_…`) with its scopes."""
    return jsonify(identity().to_json())


def _entered(entered: SignedIn, *, show_token: bool) -> Response:
    body = entered.started.identity.to_json()
    if show_token:
        body["token"] = entered.started.token
    return jsonify(body)
