"""Giving roles and taking them away. Nobody gives what they do not hold themselves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from ostiary_admin.flows import authority
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import Conflict, FieldError, Invalid
from ostiary_shared.events import Event
from ostiary_shared.models import Role
from ostiary_shared.permissions import END_USER, Permission
from ostiary_shared.store import audit, roles


@dataclass(frozen=True, slots=True)
class Gift:
    """A role for a person: why, and until when."""

    user_id: UUID
    role: str
    reason: str
    until: datetime | None = None


async def give(work: AdminWork, gift: Gift) -> bool:
    """Give a role, in force from the next request; False when it is held already. To oneself only as `admin`."""
    await authority.reach(work, {Permission.GRANTS_WRITE}, "giving roles")
    await authority.favour(work, gift.user_id)
    person = await authority.person(work, gift.user_id)
    role = await _role(work, gift.role)
    await authority.reach(work, await roles.permissions_of(work.session, role.id), f"the role {role.name}")
    if gift.until is not None and gift.until <= work.now:
        raise Invalid(FieldError("until", "Please choose a day that is still to come."))
    wanted = roles.Grant(person.id, role.id, gift.reason, work.caller.user_id, gift.until)
    given = await roles.grant(work.session, wanted, work.now)
    if given:
        until = {"until": gift.until.isoformat(timespec="minutes")} if gift.until else {}
        await audit.record(
            work,
            Event.ROLE_GRANTED,
            audit.Target(person.id, person.email),
            reason=gift.reason,
            changes=({}, {"role": role.name, **until}),
        )
    return given


async def give_first(work: AdminWork, user_id: UUID) -> None:
    """What every new person gets; part of creating them, so it needs no permission of its own."""
    role = await roles.find(work.session, END_USER)
    if role is not None:
        wanted = roles.Grant(user_id, role.id, "Every new person gets it.", work.caller.user_id)
        await roles.grant(work.session, wanted, work.now)


async def revoke(work: AdminWork, user_id: UUID, role_name: str, reason: str = "") -> bool:
    """Take a role away from the next request on; False when it is not held."""
    person = await authority.anybody(work, user_id)
    role = await _role(work, role_name)
    if not await roles.revoke(work.session, person.id, role.id, by=work.caller.user_id, now=work.now):
        return False
    await audit.record(
        work,
        Event.ROLE_REVOKED,
        audit.Target(person.id, person.email),
        reason=reason,
        changes=({"role": role.name}, {}),
    )
    return True


async def _role(work: AdminWork, name: str) -> Role:
    # Kept from being deleted or changed until the grant is there.
    role = await work.session.scalar(select(Role).where(Role.name == name).with_for_update(read=True, key_share=True))
    if role is None:
        raise Conflict(f"There is no role {name} any more.")
    return role
