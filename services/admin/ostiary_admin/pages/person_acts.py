"""The buttons on a person's page: mails, confirming by hand, locking, deleting and their undoing."""

from gettext import gettext as _
from uuid import UUID

from quart import Blueprint, flash
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import locks, people
from ostiary_admin.inputs.listing import Back, Because
from ostiary_admin.pages import person
from ostiary_admin.pages.acts import back, fields, said, softly, tell, typed
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs

blueprint = Blueprint("person_acts", __name__, url_prefix="/admin/users/<uuid:user_id>")


@blueprint.post("/confirm")
@door(needs(Permission.USERS_UPDATE), limits.ACT)
async def confirm(user_id: UUID) -> ResponseReturnValue:
    """Take the address for proven."""
    sent = await fields(Back)
    async with softly():
        async with begin_act() as work:
            done = await people.confirm(work, user_id)
        await tell(done, _("The address counts as confirmed now."), _("The address was confirmed already."))
    return back(_page(user_id), sent.back)


@blueprint.post("/recover")
@door(needs(Permission.USERS_RECOVER), limits.MAIL)
async def recover(user_id: UUID) -> ResponseReturnValue:
    """Mail a link for a new password."""
    async with softly():
        async with begin_act() as work:
            await people.send_recovery(work, user_id)
        await flash(_("A recovery mail is on its way."), "good")
    return back(_page(user_id))


@blueprint.post("/invite")
@door(needs(Permission.USERS_CREATE), limits.MAIL)
async def invite(user_id: UUID) -> ResponseReturnValue:
    """Send the invitation again."""
    async with softly():
        async with begin_act() as work:
            await people.send_invitation(work, user_id)
        await flash(_("An invitation is on its way."), "good")
    return back(_page(user_id))


@blueprint.post("/lock")
@door(needs(Permission.USERS_LOCK), limits.ACT)
async def lock(user_id: UUID) -> ResponseReturnValue:
    """Shut the person out, from the next request on."""
    sent = await typed(Because)
    if sent.data is None:
        return await person.again(user_id, "lock", sent)
    async with softly():
        async with begin_act() as work:
            done = await locks.lock(work, user_id, sent.data.reason)
        yes = _("The account is locked and signed out everywhere.")
        await tell(done, yes, _("The account was locked already."), work.receipt)
    return back(_page(user_id))


@blueprint.post("/unlock")
@door(needs(Permission.USERS_LOCK), limits.ACT)
async def unlock(user_id: UUID) -> ResponseReturnValue:
    """Let the person in again."""
    sent = await fields(Back)
    async with softly():
        async with begin_act() as work:
            done = await locks.unlock(work, user_id)
        await tell(done, _("The account is unlocked. The person can sign in again."), _("The account was not locked."))
    return back(_page(user_id), sent.back)


@blueprint.post("/delete")
@door(needs(Permission.USERS_DELETE), limits.ACT)
async def delete(user_id: UUID) -> ResponseReturnValue:
    """Take the account away; this page stays and offers to undo it."""
    sent = await typed(Because)
    if sent.data is None:
        return await person.again(user_id, "delete", sent)
    async with softly():
        async with begin_act() as work:
            await locks.delete(work, user_id, sent.data.reason)
        await flash(said(_("The account was deleted. You can restore it on this page."), work.receipt), "good")
    return back(_page(user_id))


@blueprint.post("/restore")
@door(needs(Permission.USERS_DELETE), limits.ACT)
async def restore(user_id: UUID) -> ResponseReturnValue:
    """Undo the deletion."""
    async with softly():
        async with begin_act() as work:
            done = await locks.restore(work, user_id)
        await tell(done, _("The account is back, with the roles it had."), _("The account was not deleted."))
    return back(_page(user_id))


def _page(user_id: UUID) -> str:
    return f"/admin/users/{user_id}"
