"""Where one is signed in, for programs."""

from dataclasses import asdict
from uuid import UUID

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import Ended, OwnSessions, OwnSessionShape, Problem
from ostiary_auth.flows import own_sessions
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import SIGNED_IN, door, identity
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_own_sessions", __name__, url_prefix="/api/v1/account/sessions")


@blueprint.get("")
@door(SIGNED_IN, limits.PAGE)
@document_response(OwnSessions, 200)
@tag(["account"])
async def show() -> ResponseReturnValue:
    """The living sessions of the caller, this one first."""
    async with begin_work() as work:
        mine = await own_sessions.mine(work, identity())
    return jsonify(OwnSessions(sessions=[OwnSessionShape(**asdict(one)) for one in mine]).model_dump(mode="json"))


@blueprint.delete("/<uuid:session_id>")
@door(SIGNED_IN, limits.ACT)
@document_response(Ended, 200)
@document_response(Problem, 404)
@tag(["account"])
async def end(session_id: UUID) -> ResponseReturnValue:
    """End one session of the caller."""
    async with begin_work() as work:
        await own_sessions.end(work, identity(), session_id)
    return _ended(1, work.receipt)


@blueprint.delete("")
@door(SIGNED_IN, limits.ACT)
@document_response(Ended, 200)
@tag(["account"])
async def end_others() -> ResponseReturnValue:
    """End all sessions of the caller but this one."""
    async with begin_work() as work:
        ended = await own_sessions.end_others(work, identity())
    return _ended(ended, work.receipt)


def _ended(count: int, receipt: Receipt | None) -> ResponseReturnValue:
    return {"ended": count, "receipt": receipt.to_json() if receipt else None}, 200
