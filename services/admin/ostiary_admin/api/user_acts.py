"""What is done with accounts by JSON: mails, confirming, locking, deleting and their undoing."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Done, Revoked, answer, asks, says, takes
from ostiary_admin.door import begin_act
from ostiary_admin.flows import locks, people
from ostiary_admin.inputs.listing import Because
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json, read_query

blueprint = Blueprint("api_user_acts", __name__, url_prefix="/admin/api/v1/users/<uuid:user_id>")


@blueprint.post("/confirm")
@says("users", Done)
@door(needs(Permission.USERS_UPDATE), limits.ACT)
async def confirm(user_id: UUID) -> ResponseReturnValue:
    """Take the address for proven."""
    async with begin_act() as work:
        done = await people.confirm(work, user_id)
    return answer(Done(done))


@blueprint.post("/recover")
@says("users", Done, 202)
@door(needs(Permission.USERS_RECOVER), limits.MAIL)
async def recover(user_id: UUID) -> ResponseReturnValue:
    """Promise a recovery mail."""
    async with begin_act() as work:
        await people.send_recovery(work, user_id)
    return answer(Done(changed=True), 202)


@blueprint.post("/invite")
@says("users", Done, 202)
@door(needs(Permission.USERS_CREATE), limits.MAIL)
async def invite(user_id: UUID) -> ResponseReturnValue:
    """Promise another invitation."""
    async with begin_act() as work:
        await people.send_invitation(work, user_id)
    return answer(Done(changed=True), 202)


@blueprint.post("/lock")
@says("users", Revoked)
@takes(Because)
@door(needs(Permission.USERS_LOCK), limits.ACT)
async def lock(user_id: UUID) -> ResponseReturnValue:
    """Shut the person out from the next request on; sessions, links and waiting mails end."""
    sent = await read_json(Because)
    async with begin_act() as work:
        done = await locks.lock(work, user_id, sent.reason)
    return answer(Revoked(done, work.receipt))


@blueprint.post("/unlock")
@says("users", Done)
@door(needs(Permission.USERS_LOCK), limits.ACT)
async def unlock(user_id: UUID) -> ResponseReturnValue:
    """Let the person sign in again."""
    async with begin_act() as work:
        done = await locks.unlock(work, user_id)
    return answer(Done(done))


@blueprint.delete("")
@says("users", Revoked)
@asks(Because)
@door(needs(Permission.USERS_DELETE), limits.ACT)
async def delete(user_id: UUID) -> ResponseReturnValue:
    """Delete the account and free its address; `restore` undoes it."""
    sent = read_query(Because)
    async with begin_act() as work:
        await locks.delete(work, user_id, sent.reason)
    return answer(Revoked(changed=True, receipt=work.receipt))


@blueprint.post("/restore")
@says("users", Done)
@door(needs(Permission.USERS_DELETE), limits.ACT)
async def restore(user_id: UUID) -> ResponseReturnValue:
    """Undo a deletion, unless the address is somebody else's by now."""
    async with begin_act() as work:
        done = await locks.restore(work, user_id)
    return answer(Done(done))
