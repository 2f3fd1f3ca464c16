"""Refusals: the recent ones, and behind each code the whole chain of reasons with the remedy beside it."""

from dataclasses import asdict
from gettext import gettext as _
from typing import Any
from urllib.parse import quote

from quart import Blueprint, flash, redirect, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.auth_client import Explained
from ostiary_admin.door import token, tools
from ostiary_admin.inputs.denials import DenialsQuery
from ostiary_admin.pages import lists
from ostiary_admin.queries import denials, remedies, roles
from ostiary_admin.queries.remedies import Cure
from ostiary_admin.queries.roles import RoleRow
from ostiary_shared.access import restated
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("denials", __name__)
MOST_SHOWN = 4


@blueprint.get("/admin/denials")
@door(needs(Permission.DENIALS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """The recent refusals of known people, and the field for a code."""
    query = await lists.kindly(DenialsQuery)
    if query.code:
        return redirect(f"/admin/denials/{quote(query.code, safe='')}", 303)
    async with begin_work() as work:
        page = await denials.page(work, query.user, lists.place(query.keys))
    return await render_template("denials.html", page=page, query=query, links=lists.neighbours(page))


@blueprint.get("/admin/denials/<path:code>")
@door(needs(Permission.DENIALS_READ), limits.READ)
async def show(code: str) -> ResponseReturnValue:
    """Every step behind a code, as auth explains it, and what would mend it now."""
    found = await tools().auth.denial(token(), code)
    if found is None:
        await flash(_("No refusal has the code %s. Check it, or look it up in the list.") % code[:80], "warn")
        return redirect("/admin/denials", 303)
    async with begin_work() as work:
        cure = await remedies.of(work, found.decision.remedy, found.user_id)
        known = {role.name: role for role in await roles.all_of_them(work)} if cure.roles else {}
    helpful = [(name, name, _permits(known[name])) for name in cure.roles if name in known]
    return await render_template("denial.html", denial=found, steps=_steps(found, cure), cure=cure, helpful=helpful)


def _steps(found: Explained, cure: Cure) -> list[dict[str, Any]]:
    """The steps for the page; the first that failed carries the button, if its visitor may press it."""
    steps: list[dict[str, Any]] = [asdict(step) for step in found.decision.steps]
    failed = next((step for step in steps if step["passed"] is False), None)
    if failed is not None and found.decision.remedy is not None:
        failed["remedy"] = restated(found.decision.remedy, found.email).words
        failed["act"] = _button(found, cure)
    return steps


def _permits(role: RoleRow) -> str:
    """What a role permits, in short: what else comes with a remedy must not be a surprise."""
    shown, more = role.permissions[:MOST_SHOWN], len(role.permissions) - MOST_SHOWN
    return ", ".join(shown) + (_(" and %s more") % more if more > 0 else "")


def _button(found: Explained, cure: Cure) -> dict[str, Any] | None:
    remedy, may = found.decision.remedy, identity().may
    if remedy is None or found.user_id is None or cure.done:
        return None
    page, come_back = f"/admin/users/{found.user_id}", {"back": f"/admin/denials/{found.code}"}
    if remedy.kind == "unlock" and may(Permission.USERS_LOCK) and cure.within_reach:
        return {"action": f"{page}/unlock", "text": _("Unlock the account"), "fields": come_back}
    if remedy.kind == "confirm" and may(Permission.USERS_UPDATE) and cure.within_reach:
        return {"action": f"{page}/confirm", "text": _("Confirm the address"), "fields": come_back}
    if remedy.kind == "grant-role" and may(Permission.GRANTS_WRITE) and cure.roles:
        given = {"role": remedy.value, "reason": _("Remedy for the refusal %s") % found.code}
        return {"action": f"{page}/grants", "text": _("Grant %s") % remedy.value, "fields": {**given, **come_back}}
    return None
