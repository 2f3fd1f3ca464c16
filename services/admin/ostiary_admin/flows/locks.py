"""Shutting people out and letting them back in: lock, unlock, delete, and the undoing of a deletion."""

from uuid import UUID

from ostiary_admin.flows import authority, people
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import Conflict
from ostiary_shared.events import Event
from ostiary_shared.identity import Account
from ostiary_shared.store import audit, users


async def lock(work: AdminWork, user_id: UUID, reason: str) -> bool:
    """Refuse a person from the next request on, ending sessions and links; False when locked already."""
    person = await _other(work, user_id)
    if person.locked_at:
        return False
    await users.change(work.session, person.id, locked_at=work.now, locked_reason=reason)
    await people.shut_out(work, person.id, "the account was locked")
    await _record(work, Event.USER_LOCKED, person, reason)
    return True


async def unlock(work: AdminWork, user_id: UUID, reason: str = "") -> bool:
    """Let a locked person in again; False when not locked. Sessions stay ended: they sign in anew."""
    person = await authority.person(work, user_id)
    if not person.locked_at:
        return False
    await users.change(work.session, person.id, locked_at=None, locked_reason="")
    await _record(work, Event.USER_UNLOCKED, person, reason)
    return True


async def delete(work: AdminWork, user_id: UUID, reason: str) -> None:
    """Take an account away and free its address. Roles and history stay, so that it can be undone."""
    person = await _other(work, user_id)
    await users.change(work.session, person.id, deleted_at=work.now)
    await people.shut_out(work, person.id, "the account was deleted")
    await _record(work, Event.USER_DELETED, person, reason)


async def restore(work: AdminWork, user_id: UUID) -> bool:
    """Undo a deletion; False when there was none. Raises Conflict when the address is somebody else's by now."""
    person = await authority.anybody(work, user_id)
    if not await users.restore(work.session, person.id):
        return False
    await _record(work, Event.USER_RESTORED, person, "")
    return True


async def _other(work: AdminWork, user_id: UUID) -> Account:
    if user_id == work.caller.user_id:
        raise Conflict("You cannot shut yourself out. Ask another administrator.")
    return await authority.person(work, user_id)


async def _record(work: AdminWork, event: Event, person: Account, reason: str) -> None:
    await audit.record(work, event, audit.Target(person.id, person.email), reason=reason)
