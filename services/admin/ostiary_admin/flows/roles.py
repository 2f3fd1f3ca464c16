"""Roles: making them, changing what they permit, deleting unused ones; never above one's own permissions."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import select, update

from ostiary_admin.flows import authority
from ostiary_admin.tools import AdminWork
from ostiary_shared import revocation
from ostiary_shared.errors import Conflict, FieldError, Invalid, NotFound
from ostiary_shared.events import Event
from ostiary_shared.models import Role
from ostiary_shared.permissions import ADMIN, END_USER
from ostiary_shared.store import audit, roles, sites

RESERVED = "new"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a role is to be."""

    name: str
    description: str
    permissions: frozenset[str]


async def create(work: AdminWork, wanted: Definition) -> None:
    """A new role. Raises Invalid when the name is taken."""
    await authority.reach(work, wanted.permissions, "the new role")  # by no name: it is made up
    if wanted.name == RESERVED:
        raise Invalid(FieldError("name", "This name is taken by the page that makes roles."))
    role = await roles.add(work.session, wanted.name, wanted.description, wanted.permissions)
    if role is None:
        raise Invalid(FieldError("name", "There is a role of this name already."))
    changes: tuple[dict[str, Any], dict[str, Any]] = ({}, _facts(wanted.description, wanted.permissions))
    await audit.record(work, Event.ROLE_CREATED, audit.Target(role.id, role.name), changes=changes)


async def change(work: AdminWork, wanted: Definition) -> bool:
    """Give a role another description and exactly these permissions; False when nothing differs.

    In force for everybody who holds it from the next request. Raises Conflict for the permissions of `admin`.
    """
    role, held = await _changeable(work, wanted.name)
    if role.description == wanted.description and held == wanted.permissions:
        return False
    if role.name == ADMIN and held != wanted.permissions:
        raise Conflict("The role admin always permits everything.")
    await authority.reach(work, wanted.permissions, f"the role {role.name}")
    before, after = _facts(role.description, held), _facts(wanted.description, wanted.permissions)
    statement = update(Role).where(Role.id == role.id).values(description=wanted.description)
    await work.session.execute(statement)
    await roles.replace_permissions(work.session, role.id, wanted.permissions)
    differing = {key for key in after if before[key] != after[key]}
    changes = ({key: before[key] for key in differing}, {key: after[key] for key in differing})
    await audit.record(work, Event.ROLE_UPDATED, audit.Target(role.id, role.name), changes=changes)
    return True


async def delete(work: AdminWork, name: str) -> None:
    """Delete a role that nobody holds and no site asks for; never the two that Ostiary needs. Raises Conflict."""
    role, held = await _changeable(work, name)
    if role.name in {ADMIN, END_USER}:
        raise Conflict(f"The role {role.name} is part of Ostiary and stays.")
    count = await roles.holders(work.session, role.id, work.now)
    if count:
        people = "1 person holds" if count == 1 else f"{count} people hold"
        raise Conflict(f"{people} the role {role.name}. Take it away from them first.")
    asking = await sites.asking(work.session, role.name)
    if asking:
        raise Conflict(f"The rules of {', '.join(asking)} ask for the role {role.name}. Change them first.")
    await audit.record(
        work, Event.ROLE_DELETED, audit.Target(role.id, role.name), changes=(_facts(role.description, held), {})
    )
    await work.session.execute(delete_from(Role).where(Role.id == role.id))
    revocation.mark(work.session)


async def _changeable(work: AdminWork, name: str) -> tuple[Role, frozenset[str]]:
    # The lock keeps grants of the role waiting (their foreign key needs the row) until this transaction has ended.
    role = await work.session.scalar(select(Role).where(Role.name == name).with_for_update())
    if role is None:
        raise NotFound("There is no such role.")
    held = await roles.permissions_of(work.session, role.id)
    await authority.reach(work, held, f"the role {role.name}")
    return role, held


def _facts(description: str, permissions: frozenset[str]) -> dict[str, Any]:
    return {"description": description, "permissions": sorted(permissions)}
