"""One person: everything about them on one page, and the form that edits them."""

from dataclasses import dataclass, field
from gettext import gettext as _
from typing import Any
from uuid import UUID

from quart import Blueprint, redirect, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act, require, set_password
from ostiary_admin.flows import people as acts
from ostiary_admin.inputs.people import PersonForm
from ostiary_admin.pages.acts import tell
from ostiary_admin.queries import audit, could_open, denials, grants, mail, people, roles, sessions, tokens
from ostiary_admin.queries.audit import AuditRow
from ostiary_admin.queries.could_open import Opened
from ostiary_admin.queries.denials import DenialRow
from ostiary_admin.queries.grants import GrantRow
from ostiary_admin.queries.keyset import Place
from ostiary_admin.queries.mail import MessageRow
from ostiary_admin.queries.people import PersonRow
from ostiary_admin.queries.sessions import SessionRow
from ostiary_admin.queries.tokens import TokenRow
from ostiary_admin.reach import beyond, may_favour
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import Invalid
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("person", __name__)
FEW = 10


@dataclass(frozen=True, slots=True)
class Everything:
    """What the page of one person shows, as far as the visitor may see it. `above` is what the visitor lacks."""

    person: PersonRow
    above: list[str]
    grants: list[GrantRow]
    offered: list[str]
    sessions: list[SessionRow]
    tokens: list[TokenRow]
    mails: list[MessageRow]
    sites: list[Opened]
    denials: list[DenialRow]
    events: list[AuditRow]


@dataclass(frozen=True, slots=True)
class Typed:
    """The form of the page that was sent and could not be kept: `grant`, `lock` or `delete`."""

    form: str = ""
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/admin/users/<uuid:user_id>")
@door(needs(Permission.USERS_READ), limits.READ)
async def show(user_id: UUID) -> ResponseReturnValue:
    """The page of one person."""
    return await _page(user_id, Typed())


async def again(user_id: UUID, name: str, sent: Form[Any]) -> ResponseReturnValue:
    """The page with one of its forms open, as it was typed, and what is wrong with it."""
    await require(Permission.USERS_READ)
    return await _page(user_id, Typed(name, sent.values, sent.errors)), 422


async def _page(user_id: UUID, typed: Typed) -> str:
    async with begin_work() as work:
        everything = await _gather(work, user_id)
    return await render_template("person.html", all=everything, one=everything.person, typed=typed)


@blueprint.get("/admin/users/<uuid:user_id>/edit")
@door(needs(Permission.USERS_UPDATE), limits.READ)
async def edit(user_id: UUID) -> ResponseReturnValue:
    """The form with name and address filled in; the password is blank and stays so unless typed."""
    async with begin_work() as work:
        person = await people.get(work, user_id)
    return await render_template(
        "person_edit.html", one=person, values={"email": person.email, "name": person.name}, errors={}
    )


@blueprint.post("/admin/users/<uuid:user_id>/edit")
@door(needs(Permission.USERS_UPDATE), limits.ACT)
async def save(user_id: UUID) -> ResponseReturnValue:
    """Keep what was typed. All of it is checked before any of it is done."""
    sent = await read_form(PersonForm)
    try:
        if sent.data is not None:
            changed, receipt = await _save(user_id, sent.data)
            await tell(changed, _("Saved."), _("Nothing was changed."), receipt)
            return redirect(f"/admin/users/{user_id}", 303)
    except Invalid as invalid:
        sent.reject(invalid)
    async with begin_work() as work:
        person = await people.get(work, user_id)
    return await render_template("person_edit.html", one=person, values=sent.values, errors=sent.errors), 422


async def _save(user_id: UUID, wanted: PersonForm) -> tuple[bool, Receipt | None]:
    password = wanted.password.get_secret_value()
    receipt = await set_password(user_id, password, wanted.email) if password else None
    async with begin_act() as work:
        changed = await acts.edit(work, user_id, email=wanted.email, name=wanted.name)
    return changed or bool(password), work.receipt or receipt


async def _gather(work: AdminWork, user_id: UUID) -> Everything:
    mine = identity()
    person = await people.get(work, user_id)
    known = {role.name: role for role in await roles.all_of_them(work)}
    theirs = {permission for name in person.roles if name in known for permission in known[name].permissions}
    favoured = may_favour(mine.id, mine.roles, user_id)
    givable = [name for name, role in known.items() if favoured and not beyond(mine.permissions, role.permissions)]
    first = Place()
    return Everything(
        person,
        beyond(mine.permissions, theirs),
        await grants.of(work, user_id),
        [name for name in givable if name not in person.roles],
        (await sessions.page(work, user_id, first)).items if mine.may(Permission.SESSIONS_READ) else [],
        await tokens.of(work, user_id) if mine.may(Permission.SESSIONS_READ) else [],
        (await mail.page(work, "", user_id, first)).items[:FEW] if mine.may(Permission.MESSAGES_READ) else [],
        await could_open.of(work, user_id) if mine.may(Permission.SITES_READ) else [],
        (await denials.page(work, user_id, first)).items[:FEW] if mine.may(Permission.DENIALS_READ) else [],
        await audit.about(work, user_id, FEW) if mine.may(Permission.AUDIT_READ) else [],
    )
