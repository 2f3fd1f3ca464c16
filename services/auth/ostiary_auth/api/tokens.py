"""One's own API tokens, for programs that act with a sign-in: a token cannot make another one."""

from dataclasses import asdict
from uuid import UUID

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.account import WRONG
from ostiary_auth.api.shapes import NewToken, OwnTokens, OwnTokenShape, Problem, Revoked
from ostiary_auth.doorway.entering import desk
from ostiary_auth.doorway.inputs import TokenWish
from ostiary_auth.flows import api_tokens
from ostiary_auth.flows.api_tokens import Wish
from ostiary_auth.flows.change_password import WrongPassword
from ostiary_shared.web.door import SIGNED_IN, door, identity
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_tokens", __name__, url_prefix="/api/v1/account/tokens")


@blueprint.get("")
@door(SIGNED_IN, limits.PAGE)
@document_response(OwnTokens, 200)
@tag(["account"])
async def show() -> ResponseReturnValue:
    """The API tokens of the caller that were not revoked, the newest first."""
    async with begin_work() as work:
        mine = await api_tokens.mine(work, identity())
    return jsonify(OwnTokens(tokens=[OwnTokenShape(**asdict(one)) for one in mine]).model_dump(mode="json"))


@blueprint.post("")
@door(SIGNED_IN, limits.ACT)
@document_request(TokenWish)
@document_response(NewToken, 201)
@document_response(Problem, 409)
@document_response(Problem, 422)
@tag(["account"])
async def create() -> ResponseReturnValue:
    """Make a token. Its value is in this answer and nowhere else; a mail tells the person of it."""
    body = await read_json(TokenWish)
    wish = Wish(body.name, body.scopes, body.days)
    made = await api_tokens.create(desk(), identity(), wish, body.current_password.get_secret_value())
    if isinstance(made, WrongPassword):
        raise WRONG
    return jsonify(NewToken(**asdict(made.token), token=made.value).model_dump(mode="json")), 201


@blueprint.delete("/<uuid:token_id>")
@door(SIGNED_IN, limits.ACT)
@document_response(Revoked, 200)
@document_response(Problem, 404)
@tag(["account"])
async def revoke(token_id: UUID) -> ResponseReturnValue:
    """Revoke one. When this answers, no replica takes it any more."""
    async with begin_work() as work:
        await api_tokens.revoke(work, identity(), token_id)
    receipt = work.receipt.to_json() if work.receipt else None
    return jsonify({"revoked": 1, "receipt": receipt})
