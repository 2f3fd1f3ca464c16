"""Giving services their credentials, for the console: it never touches a secret's digest itself."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import Problem
from ostiary_auth.doorway.inputs import ServiceWish
from ostiary_auth.flows import service_clients
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_service_clients", __name__, url_prefix="/api/v1/service-clients")


class CredentialsShape(BaseModel):
    """What a service signs in with. `secret` is never shown again."""

    id: UUID
    client_id: str
    secret: Annotated[str, Field(examples=["oc_…"])]
    name: str
    scopes: list[str]


@blueprint.post("")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
@document_request(ServiceWish)
@document_response(CredentialsShape, 201)
@document_response(Problem, 403)
@document_response(Problem, 422)
@tag(["services"])
async def create() -> ResponseReturnValue:
    """Make a service known."""
    body = await read_json(ServiceWish)
    async with begin_work() as work:
        made = await service_clients.create(work, body.name, body.scopes)
    return jsonify(CredentialsShape(**asdict(made)).model_dump(mode="json")), 201


@blueprint.post("/<uuid:service_id>/secret")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
@document_response(CredentialsShape, 200)
@document_response(Problem, 404)
@tag(["services"])
async def replace_secret(service_id: UUID) -> ResponseReturnValue:
    """Give a service another secret; the old one is refused at once."""
    async with begin_work() as work:
        made = await service_clients.replace_secret(work, service_id)
    return jsonify(CredentialsShape(**asdict(made)).model_dump(mode="json"))


@blueprint.delete("/<uuid:service_id>")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
@document_response(dict[str, Any], 204)
@document_response(Problem, 404)
@tag(["services"])
async def delete(service_id: UUID) -> ResponseReturnValue:
    """Forget a service."""
    async with begin_work() as work:
        await service_clients.delete(work, service_id)
    return "", 204
