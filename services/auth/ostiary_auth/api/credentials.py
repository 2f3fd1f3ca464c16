"""Setting somebody's password, for the console: it never touches a hash itself."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import InForce, Problem
from ostiary_auth.doorway.entering import desk
from ostiary_auth.doorway.inputs import PasswordSet
from ostiary_auth.flows import set_password
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.forms import read_json

blueprint = Blueprint("api_credentials", __name__, url_prefix="/api/v1/users")


@blueprint.put("/<uuid:user_id>/password")
@door(needs(Permission.USERS_SET_PASSWORD), limits.ACT)
@document_request(PasswordSet)
@document_response(InForce, 200)
@document_response(Problem, 403)
@document_response(Problem, 422)
@tag(["people"])
async def put(user_id: UUID) -> ResponseReturnValue:
    """Set a person's password. Their sessions end; nobody does this above their own permissions."""
    body = await read_json(PasswordSet)
    receipt = await set_password.set_password(desk(), identity(), user_id, body.password.get_secret_value())
    return {"receipt": receipt.to_json() if receipt else None}, 200
