"""Setting somebody else's password, for the console. Nobody does this above their own permissions."""

from uuid import UUID

from ostiary_auth.flows import new_password, one_time, throttle
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.errors import Conflict, Forbidden, NotFound
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.models import User
from ostiary_shared.revocation import Receipt
from ostiary_shared.store import api_tokens, audit, messages, passwords, sessions, users
from ostiary_shared.store.messages import Draft, Kind


async def set_password(desk: Desk, who: Identity, user_id: UUID, password: str) -> Receipt | None:
    """Replace a person's password; sessions, API tokens and links end. Raises NotFound, Forbidden, Invalid, Busy.

    Gives the receipt. Raises Conflict for one's own: a stolen session must not set it without the present one.
    """
    if user_id == who.id:
        raise Conflict("Your own password is changed on your account page.")
    async with desk.begin() as work:
        user = await _within_reach(work, who, await users.get(work.session, user_id))
    await new_password.weigh(desk.tools, password, email=user.email, name=user.name)
    hashed = await desk.tools.passwords.hash(password)
    async with desk.begin() as work:
        await settle(work, who, user_id, hashed)
    return work.receipt


async def settle(work: AuthWork, who: Identity, user_id: UUID, hashed: str) -> None:
    """Write it down, for the person as they are now."""
    user = await _within_reach(work, who, await users.hold_alone(work.session, user_id))
    await passwords.put(work.session, user.id, hashed, work.now)
    await sessions.end_all(work.session, user.id, work.now, "password set by an administrator")
    await api_tokens.revoke_all(work.session, user.id, work.now, "password set by an administrator")
    await one_time.end_all(work, user.id, "An administrator set a password meanwhile.")
    await throttle.forgive(work, user.email)
    await messages.queue(work.session, Draft(Kind.PASSWORD_CHANGED, user.email, user.id), work.now)
    await audit.record(work, Event.PASSWORD_SET, audit.Target(user.id, user.email))


async def _within_reach(work: AuthWork, who: Identity, user: User | None) -> User:
    if user is None or user.deleted_at is not None:
        raise NotFound("There is no such person.")
    theirs = {item for role in await users.held_roles(work.session, user.id, work.now) for item in role.permissions}
    above = sorted(theirs - who.permissions)
    if above:
        raise Forbidden(
            f"This person may do what you may not ({', '.join(above)}), so their password is not yours to set."
        )
    return user
