"""Giving a person a role, and taking it away, from their page or from the refusal it mends."""

from datetime import UTC, date, datetime, time, timedelta
from gettext import gettext as _
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import grants
from ostiary_admin.inputs.grants import GrantForm
from ostiary_admin.inputs.listing import PerhapsBecause
from ostiary_admin.pages import person
from ostiary_admin.pages.acts import back, fields, softly, tell, telling_conflicts, typed
from ostiary_shared.errors import Invalid
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs

blueprint = Blueprint("grants", __name__, url_prefix="/admin/users/<uuid:user_id>/grants")


@blueprint.post("")
@door(needs(Permission.GRANTS_WRITE), limits.ACT)
async def give(user_id: UUID) -> ResponseReturnValue:
    """Give the role, in force from the person's next request."""
    sent = await typed(GrantForm)
    try:
        if sent.data is not None:
            return await _give(user_id, sent.data)
    except Invalid as invalid:
        sent.reject(invalid)
    return await person.again(user_id, "grant", sent)


async def _give(user_id: UUID, sent: GrantForm) -> ResponseReturnValue:
    async with telling_conflicts():
        async with begin_act() as work:
            done = await grants.give(work, grants.Gift(user_id, sent.role, sent.reason, _end_of(sent.until)))
        await tell(
            done,
            _("“%s” was granted. It counts from the next request.") % sent.role,
            _("“%s” was held already.") % sent.role,
            work.receipt,
        )
    return back(f"/admin/users/{user_id}", sent.back)


@blueprint.post("/<role>/revoke")
@door(needs(Permission.GRANTS_WRITE), limits.ACT)
async def revoke(user_id: UUID, role: str) -> ResponseReturnValue:
    """Take the role away, from the person's next request on."""
    async with softly():
        sent = await fields(PerhapsBecause)
        async with begin_act() as work:
            done = await grants.revoke(work, user_id, role, sent.reason)
        await tell(done, _("“%s” was taken away.") % role, _("“%s” was not held any more.") % role, work.receipt)
    return back(f"/admin/users/{user_id}")


def _end_of(day: date | None) -> datetime | None:
    """The end of the last day, in UTC."""
    return datetime.combine(day, time(), UTC) + timedelta(days=1) if day else None
