"""The buttons beside a person's API tokens."""

from gettext import gettext as _
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import tokens as acts
from ostiary_admin.pages.acts import back, softly, tell
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs

blueprint = Blueprint("tokens", __name__, url_prefix="/admin/users/<uuid:user_id>/tokens")


@blueprint.post("/<uuid:token_id>/revoke")
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def revoke(user_id: UUID, token_id: UUID) -> ResponseReturnValue:
    """Revoke one token."""
    async with softly():
        async with begin_act() as work:
            done = await acts.revoke(work, user_id, token_id)
        await tell(done, _("The token is revoked."), _("The token was revoked already."), work.receipt)
    return back(f"/admin/users/{user_id}")


@blueprint.post("/revoke")
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def revoke_all(user_id: UUID) -> ResponseReturnValue:
    """Revoke every token of the person."""
    async with softly():
        async with begin_act() as work:
            revoked = await acts.revoke_all(work, user_id)
        await tell(revoked, _("All tokens are revoked."), _("There was no token to revoke."), work.receipt)
    return back(f"/admin/users/{user_id}")
