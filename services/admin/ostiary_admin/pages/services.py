"""Services: the list, a new one whose secret is shown once, another secret, switching off and on."""

from gettext import gettext as _
from uuid import UUID

from quart import Blueprint, flash, redirect, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act, token, tools
from ostiary_admin.flows import services as acts
from ostiary_admin.inputs.services import ServiceForm
from ostiary_admin.pages.acts import back, softly, tell
from ostiary_admin.queries import services
from ostiary_shared.errors import Conflict, Invalid
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.kit import kit
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("services", __name__, url_prefix="/admin/services")


@blueprint.get("")
@door(needs(Permission.SERVICES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """All services."""
    async with begin_work() as work:
        found = await services.all_of_them(work)
    return await render_template("services.html", services=found)


@blueprint.get("/new")
@door(needs(Permission.SERVICES_WRITE), limits.READ)
async def new() -> ResponseReturnValue:
    """An empty form."""
    return await _form(Form())


@blueprint.post("/new")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def create() -> ResponseReturnValue:
    """Make the service, and show its secret this once."""
    sent = await read_form(ServiceForm)
    try:
        if sent.data is not None:
            words = tuple(sent.data.scopes.split())
            made = await tools().auth.create_service(token(), sent.data.name, words)
            return await render_template("service_secret.html", made=made, us=kit().settings.public_url), 201
    except Invalid as invalid:
        sent.reject(invalid)
    except Conflict as conflict:
        sent.errors[""] = conflict.detail
    return await _form(sent), 422


@blueprint.get("/<uuid:service_id>")
@door(needs(Permission.SERVICES_READ), limits.READ)
async def show(service_id: UUID) -> ResponseReturnValue:
    """One service."""
    async with begin_work() as work:
        one = await services.get(work, service_id)
    return await render_template("service.html", one=one)


@blueprint.post("/<uuid:service_id>/secret")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def replace_secret(service_id: UUID) -> ResponseReturnValue:
    """Another secret, shown this once."""
    try:
        made = await tools().auth.replace_service_secret(token(), service_id)
    except Conflict as conflict:
        await flash(conflict.detail, "bad")
        return back(f"/admin/services/{service_id}")
    return await render_template("service_secret.html", made=made, us=kit().settings.public_url)


@blueprint.post("/<uuid:service_id>/off")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def switch_off(service_id: UUID) -> ResponseReturnValue:
    """Refuse it from now on."""
    async with softly():
        async with begin_act() as work:
            done = await acts.switch(work, service_id, on=False)
        await tell(done, _("The service is switched off."), _("The service was off already."))
    return back(f"/admin/services/{service_id}")


@blueprint.post("/<uuid:service_id>/on")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def switch_on(service_id: UUID) -> ResponseReturnValue:
    """Let it in again."""
    async with softly():
        async with begin_act() as work:
            done = await acts.switch(work, service_id, on=True)
        await tell(done, _("The service is switched on."), _("The service was on already."))
    return back(f"/admin/services/{service_id}")


@blueprint.post("/<uuid:service_id>/delete")
@door(needs(Permission.SERVICES_WRITE), limits.ACT)
async def delete(service_id: UUID) -> ResponseReturnValue:
    """Forget it."""
    async with softly():
        await tools().auth.delete_service(token(), service_id)
        await flash(_("The service was deleted."), "good")
    return redirect("/admin/services", 303)


async def _form(sent: Form[ServiceForm]) -> str:
    return await render_template("service_new.html", values=sent.values, errors=sent.errors)
