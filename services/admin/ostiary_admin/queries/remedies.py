"""Whether a refusal has been mended meanwhile, and if not, what the caller could do about it."""

from dataclasses import dataclass
from uuid import UUID

from ostiary_admin.queries import roles
from ostiary_admin.reach import beyond, may_favour
from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Remedy
from ostiary_shared.identity import Account, narrowed
from ostiary_shared.store import users


@dataclass(frozen=True, slots=True)
class Cure:
    """What may be done. `roles` are those that would help and that the caller may give, the smallest first."""

    done: bool = False
    within_reach: bool = False
    roles: tuple[str, ...] = ()


async def of(work: AdminWork, remedy: Remedy | None, user_id: UUID | None) -> Cure:
    """The cure for a refusal of a known person; strangers can only sign in."""
    person = await users.account(work.session, user_id, work.now) if user_id else None
    me = await users.account(work.session, work.caller.user_id, work.now) if work.caller.user_id else None
    if me is not None and work.caller.scopes is not None:
        me = narrowed(me, work.caller.scopes)
    if remedy is None or person is None or me is None or person.deleted_at:
        return Cure()
    within = not beyond(me.permissions, person.permissions)
    helpful = await _helpful(work, remedy)
    may_give = within and may_favour(me.id, me.roles, person.id)
    givable = tuple(role.name for role in helpful if may_give and not beyond(me.permissions, role.permissions))
    return Cure(_done(remedy, person), within, givable)


async def _helpful(work: AdminWork, remedy: Remedy) -> list[roles.RoleRow]:
    if remedy.kind == "grant-role":
        return [role for role in await roles.all_of_them(work) if role.name == remedy.value]
    if remedy.kind == "grant-permission":
        return await roles.permitting(work, remedy.value)
    return []


def _done(remedy: Remedy, person: Account) -> bool:
    match remedy.kind:
        case "unlock":
            return person.locked_at is None
        case "confirm":
            return person.confirmed_at is not None
        case "grant-role":
            return remedy.value in person.roles
        case "grant-permission":
            return remedy.value in person.permissions
        case _:
            return False
