"""Roles and grants. The seed roles are made once, however many processes start at the same time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.models import Role, RoleGrant, RolePermission, User
from ostiary_shared.permissions import ADMIN, SEED_ROLES, Permission
from ostiary_shared.store.users import holds

_SEEDING = 0x0571A2
_ADMINS = 5706148  # the lock of keep_an_admin() in the database


async def seed(session: AsyncSession) -> None:
    """Make the first roles if there are none, and let `admin` hold every permission there is by now."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEEDING})
    if await session.scalar(select(Role.id).limit(1)) is None:
        for seeded in SEED_ROLES:
            await add(session, seeded.name, seeded.description, seeded.permissions)
    admin = await find(session, ADMIN)
    if admin:
        await permit(session, admin.id, frozenset(Permission))


async def find(session: AsyncSession, name: str) -> Role | None:
    """The role of this name."""
    return await session.scalar(select(Role).where(Role.name == name))


async def add(
    session: AsyncSession, name: str, description: str, permissions: frozenset[Permission] | frozenset[str]
) -> Role | None:
    """A new role, or None when the name is taken."""
    role = await session.scalar(
        insert(Role).values(name=name, description=description).on_conflict_do_nothing().returning(Role)
    )
    if role:
        await permit(session, role.id, permissions)
    return role


async def permit(session: AsyncSession, role_id: UUID, permissions: frozenset[Permission] | frozenset[str]) -> None:
    """Let a role permit these, too."""
    rows = [{"role_id": role_id, "permission": str(permission)} for permission in sorted(permissions)]
    if rows:
        await session.execute(insert(RolePermission).values(rows).on_conflict_do_nothing())
        await revocation.mark_if_told(session)


async def permissions_of(session: AsyncSession, role_id: UUID) -> frozenset[str]:
    """What a role permits."""
    return frozenset(await session.scalars(select(RolePermission.permission).where(RolePermission.role_id == role_id)))


async def replace_permissions(session: AsyncSession, role_id: UUID, permissions: frozenset[str]) -> None:
    """Let a role permit exactly these."""
    await session.execute(
        delete(RolePermission).where(RolePermission.role_id == role_id, RolePermission.permission.not_in(permissions))
    )
    revocation.mark(session)
    await permit(session, role_id, permissions)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for somebody: why, by whom (None is the system), and until when (None is for good)."""

    user_id: UUID
    role_id: UUID
    reason: str
    by: UUID | None = None
    expires_at: datetime | None = None


async def grant(session: AsyncSession, wanted: Grant, now: datetime) -> bool:
    """Give a role; False when it is held already. An expired grant makes room for the new one."""
    await session.execute(
        update(RoleGrant)
        .where(
            RoleGrant.user_id == wanted.user_id,
            RoleGrant.role_id == wanted.role_id,
            RoleGrant.ended_at.is_(None),
            RoleGrant.expires_at <= now,
        )
        .values(ended_at=RoleGrant.expires_at)
    )
    statement = (
        insert(RoleGrant)
        .values(
            user_id=wanted.user_id,
            role_id=wanted.role_id,
            granted_at=now,
            granted_by=wanted.by,
            reason=wanted.reason,
            expires_at=wanted.expires_at,
        )
        .on_conflict_do_nothing(index_elements=["user_id", "role_id"], index_where=text("ended_at IS NULL"))
        .returning(RoleGrant.id)
    )
    given = (await session.execute(statement)).first() is not None
    await revocation.mark_if_told(session)
    return given


async def revoke(session: AsyncSession, user_id: UUID, role_id: UUID, *, by: UUID | None, now: datetime) -> bool:
    """Take a role away; False when it is not held."""
    done = await session.execute(
        update(RoleGrant)
        .where(RoleGrant.user_id == user_id, RoleGrant.role_id == role_id, RoleGrant.ended_at.is_(None))
        .values(ended_at=now, ended_by=by)
        .returning(RoleGrant.id)
    )
    taken = done.first() is not None
    if taken:
        revocation.mark(session)
    return taken


async def holders(session: AsyncSession, role_id: UUID, now: datetime) -> int:
    """How many living people hold the role now."""
    count = await session.scalar(
        select(func.count())
        .select_from(RoleGrant)
        .join(User, User.id == RoleGrant.user_id)
        .where(RoleGrant.role_id == role_id, User.deleted_at.is_(None), *holds(now))
    )
    return count or 0


async def hold_admins(session: AsyncSession) -> None:
    """Take turns with everybody who makes or unmakes administrators, until this transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADMINS})


async def usable_admins(session: AsyncSession) -> int:
    """How many people are administrators for good: unlocked, confirmed, by a grant without an end."""
    count = await session.scalar(text("SELECT usable_admins()"))
    return count or 0
