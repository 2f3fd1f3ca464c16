"""Who holds which role: by whom, why, since when and until when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from ostiary_admin.queries.keyset import Asked, Order, Page, Place, page_of
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Role, RoleGrant, User
from ostiary_shared.store.users import holds

_GRANTER = aliased(User)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A role held by a person. `by` is an address, or empty when the system gave it."""

    id: UUID
    user_id: UUID
    email: str
    role: str
    reason: str
    by: str | None
    granted_at: datetime
    expires_at: datetime | None


_GRANTS: Asked = (
    select(
        RoleGrant.id,
        RoleGrant.user_id,
        User.email,
        Role.name,
        RoleGrant.reason,
        _GRANTER.email,
        RoleGrant.granted_at,
        RoleGrant.expires_at,
    )
    .join(Role, Role.id == RoleGrant.role_id)
    .join(User, User.id == RoleGrant.user_id)
    .outerjoin(_GRANTER, _GRANTER.id == RoleGrant.granted_by)
)


async def of(work: AdminWork, user_id: UUID) -> list[GrantRow]:
    """The roles that a person holds now, by name."""
    rows = await work.session.execute(_GRANTS.where(RoleGrant.user_id == user_id, *holds(work.now)).order_by(Role.name))
    return [GrantRow(*row) for row in rows]


async def page(work: AdminWork, role: str, user_id: UUID | None, place: Place) -> Page[GrantRow]:
    """Grants in force to living people, the newest first; of one role or one person if asked."""
    asked = _GRANTS.where(*holds(work.now), User.deleted_at.is_(None))
    if role:
        asked = asked.where(Role.name == role)
    if user_id:
        asked = asked.where(RoleGrant.user_id == user_id)
    order = Order(RoleGrant.granted_at, RoleGrant.id, descending=True, moments=True)
    return await page_of(work.session, asked, order, place, lambda row: GrantRow(*row[:8]))


async def get(work: AdminWork, grant_id: UUID) -> GrantRow:
    """One grant in force. Raises NotFound."""
    row = (await work.session.execute(_GRANTS.where(RoleGrant.id == grant_id, *holds(work.now)))).first()
    if row is None:
        raise NotFound("There is no such grant, or it has ended.")
    return GrantRow(*row)
