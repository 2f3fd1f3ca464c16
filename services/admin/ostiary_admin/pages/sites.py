"""Protected sites: the list, and the form with host, name and the ordered rules."""

from gettext import gettext as _
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, flash, redirect, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import sites as acts
from ostiary_admin.inputs.sites import SiteForm, TryOut
from ostiary_admin.pages import lists, rule_rows
from ostiary_admin.pages.acts import back, said, softly, tell
from ostiary_admin.pages.rule_rows import Row
from ostiary_admin.queries import roles, sites, try_out
from ostiary_shared.errors import Conflict, Invalid
from ostiary_shared.permissions import MEANINGS, Permission
from ostiary_shared.site_rules import falls_to
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("sites", __name__, url_prefix="/admin/sites")
_PEOPLE = Permission.USERS_READ  # what it takes to ask about a person


@blueprint.get("")
@door(needs(Permission.SITES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """All sites."""
    async with begin_work() as work:
        found = await sites.all_of_them(work)
    return await render_template("sites.html", sites=found)


@blueprint.get("/<uuid:site_id>")
@door(needs(Permission.SITES_READ), limits.READ)
async def show(site_id: UUID) -> ResponseReturnValue:
    """One site and its rules, and the answer to "who opens this?" if that was asked."""
    query = await lists.kindly(TryOut)
    email = query.email if identity().may(_PEOPLE) else ""
    asked = try_out.Request(query.path, query.method.upper(), email, query.address)
    tried, errors = None, {}
    async with begin_work() as work:
        site = await sites.get(work, site_id)
        try:
            tried = await try_out.of(work, site, asked) if query.path else None
        except Invalid as invalid:
            errors = {fault.field: fault.message for fault in invalid.errors}
    falls = [falls_to(site.rules, number) for number in range(len(site.rules))]
    more = {"everybody": _everybody(site.host, asked), "falls": falls}
    return await render_template("site.html", site=site, asked=asked, tried=tried, errors=errors, **more)


@blueprint.get("/new")
@door(needs(Permission.SITES_WRITE), limits.READ)
async def new() -> ResponseReturnValue:
    """An empty form."""
    return await _form(None, Form(values={"name": "", "host": ""}), rule_rows.first(), 200)


@blueprint.post("/new")
@door(needs(Permission.SITES_WRITE), limits.ACT)
async def create() -> ResponseReturnValue:
    """Make the site."""
    sent = await read_form(SiteForm)
    try:
        if sent.data is not None:
            async with begin_act() as work:
                site_id = await acts.create(work, rule_rows.wanted(sent.data))
            await flash(_("The site was added. The gate knows it from now on."), "good")
            return redirect(f"/admin/sites/{site_id}", 303)
    except Invalid as invalid:
        sent.reject(invalid)
    return await _form(None, sent, rule_rows.typed(sent), 422)


@blueprint.get("/<uuid:site_id>/edit")
@door(needs(Permission.SITES_WRITE), limits.READ)
async def edit(site_id: UUID) -> ResponseReturnValue:
    """The form with everything filled in, and a few empty rows."""
    async with begin_work() as work:
        site = await sites.get(work, site_id)
    values = {"name": site.name, "host": site.host, "version": site.version}
    return await _form(site_id, Form(values=values), rule_rows.of(site.rules), 200)


@blueprint.post("/<uuid:site_id>/edit")
@door(needs(Permission.SITES_WRITE), limits.ACT)
async def save(site_id: UUID) -> ResponseReturnValue:
    """Keep the form; in force from the next request."""
    sent = await read_form(SiteForm)
    try:
        if sent.data is not None:
            async with begin_act() as work:
                done = await acts.change(work, site_id, rule_rows.wanted(sent.data), sent.data.version)
            yes = _("Saved. The rules count from the next request.")
            await tell(done, yes, _("Nothing was changed."), work.receipt)
            return redirect(f"/admin/sites/{site_id}", 303)
    except Invalid as invalid:
        sent.reject(invalid)
    except Conflict as conflict:
        return await _overtaken(site_id, sent, conflict)
    return await _form(site_id, sent, rule_rows.typed(sent), 422)


@blueprint.post("/<uuid:site_id>/delete")
@door(needs(Permission.SITES_WRITE), limits.ACT)
async def delete(site_id: UUID) -> ResponseReturnValue:
    """Forget the site."""
    async with softly():
        async with begin_act() as work:
            host = await acts.delete(work, site_id)
        await flash(said(_("%s was removed. The gate lets nobody in there any more.") % host, work.receipt), "good")
    return back("/admin/sites")


def _everybody(host: str, asked: try_out.Request) -> str:
    """Where all who could open what was asked are listed; any name does for a wildcard."""
    query = {"url": f"https://{host.replace('*', 'any')}{asked.path}", "method": asked.method, "address": asked.address}
    return f"/admin/sites/who?{urlencode({name: value for name, value in query.items() if value})}"


async def _overtaken(site_id: UUID, sent: Form[SiteForm], conflict: Conflict) -> ResponseReturnValue:
    """What was typed, to look at beside the site as it is by now; saved again, it replaces that."""
    async with begin_work() as work:
        site = await sites.get(work, site_id)
    sent.errors[""] = conflict.detail
    sent.values["version"] = site.version
    return await _form(site_id, sent, rule_rows.typed(sent), 409)


async def _form(site_id: UUID | None, form: Form[SiteForm], rows: list[Row], status: int) -> ResponseReturnValue:
    async with begin_work() as work:
        names = [role.name for role in await roles.all_of_them(work)]
    page = await render_template(
        "site_edit.html",
        site_id=site_id,
        values=form.values,
        errors=form.errors,
        rows=rows,
        labels=rule_rows.labels(rows, form.errors),
        who=rule_rows.choices(names, MEANINGS),
    )
    return page, status
