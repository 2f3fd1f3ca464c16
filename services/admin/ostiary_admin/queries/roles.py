"""Roles: what they permit and how many people hold them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ScalarSelect, Text, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from ostiary_admin.queries.keyset import Asked
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Role, RoleGrant, RolePermission, User
from ostiary_shared.permissions import ADMIN, END_USER
from ostiary_shared.store.users import holds

KEPT = frozenset({ADMIN, END_USER})


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role. `people` counts the living who hold it now."""

    id: UUID
    name: str
    description: str
    permissions: list[str]
    people: int

    @property
    def kept(self) -> bool:
        """Whether it is one that Ostiary itself cannot do without."""
        return self.name in KEPT


async def all_of_them(work: AdminWork) -> list[RoleRow]:
    """Every role, by name. There are few: they are made by hand."""
    return [RoleRow(*row) for row in await work.session.execute(_roles(work).order_by(Role.name))]


async def get(work: AdminWork, name: str) -> RoleRow:
    """One role. Raises NotFound."""
    row = (await work.session.execute(_roles(work).where(Role.name == name))).first()
    if row is None:
        raise NotFound("There is no such role.")
    return RoleRow(*row)


async def permitting(work: AdminWork, permission: str) -> list[RoleRow]:
    """The roles that contain a permission, the smallest first: the remedy should give no more than is needed."""
    found = [role for role in await all_of_them(work) if permission in role.permissions]
    return sorted(found, key=lambda role: (len(role.permissions), role.name))


def _roles(work: AdminWork) -> Asked:
    permissions = (
        select(func.coalesce(func.array_agg(RolePermission.permission), cast(text("'{}'"), ARRAY(Text))))
        .where(RolePermission.role_id == Role.id)
        .scalar_subquery()
    )
    return select(Role.id, Role.name, Role.description, permissions, _holders(work))


def _holders(work: AdminWork) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(RoleGrant)
        .join(User, User.id == RoleGrant.user_id)
        .where(RoleGrant.role_id == Role.id, User.deleted_at.is_(None), *holds(work.now))
        .correlate(Role)
        .scalar_subquery()
    )
