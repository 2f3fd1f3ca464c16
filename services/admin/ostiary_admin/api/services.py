"""Services by JSON: who has credentials, giving them, replacing their secret, switching them off."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Done, answer, says, takes
from ostiary_admin.auth_client import ServiceSecret
from ostiary_admin.door import begin_act, token, tools
from ostiary_admin.flows import services as acts
from ostiary_admin.inputs.services import NewService, Switch
from ostiary_admin.queries import services
from ostiary_admin.queries.services import ServiceRow
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_services", __name__, url_prefix="/admin/api/v1/service-clients")


@dataclass(frozen=True, slots=True)
class Services:
    """All services; `next` is always null, for there are few."""

    items: list[ServiceRow]
    next: str | None = None


@blueprint.get("")
@says("services", Services)
@door(needs(Permission.SERVICES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """All services, by name."""
    async with begin_work() as work:
        found = await services.all_of_them(work)
    return answer(Services(found))


@blueprint.post("")
@says("services", ServiceSecret, 201)
@takes(NewService)
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def create() -> ResponseReturnValue:
    """Make a service known. Its secret is in this answer and nowhere else."""
    sent = await read_json(NewService)
    return answer(await tools().auth.create_service(token(), sent.name, sent.scopes), 201)


@blueprint.get("/<uuid:service_id>")
@says("services", ServiceRow)
@door(needs(Permission.SERVICES_READ), limits.READ)
async def show(service_id: UUID) -> ResponseReturnValue:
    """One service."""
    async with begin_work() as work:
        row = await services.get(work, service_id)
    return answer(row)


@blueprint.patch("/<uuid:service_id>")
@says("services", Done)
@takes(Switch)
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def switch(service_id: UUID) -> ResponseReturnValue:
    """Switch a service off or on. Off, neither its secret nor its tokens are good for anything here."""
    sent = await read_json(Switch)
    async with begin_act() as work:
        done = await acts.switch(work, service_id, on=sent.enabled)
    return answer(Done(done))


@blueprint.post("/<uuid:service_id>/secret")
@says("services", ServiceSecret)
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def replace_secret(service_id: UUID) -> ResponseReturnValue:
    """Give a service another secret; the old one is refused at once."""
    return answer(await tools().auth.replace_service_secret(token(), service_id))


@blueprint.delete("/<uuid:service_id>")
@says("services", Done)
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def delete(service_id: UUID) -> ResponseReturnValue:
    """Forget a service."""
    await tools().auth.delete_service(token(), service_id)
    return answer(Done(changed=True))
