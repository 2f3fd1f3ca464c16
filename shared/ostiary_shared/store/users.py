"""People: finding, adding and changing them. One address belongs to one person, whatever its case."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Row,
    Uuid,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.errors import Conflict
from ostiary_shared.identity import Account, HeldRole
from ostiary_shared.models import Role, RoleGrant, RolePermission, User
from ostiary_shared.models.user import FOLDED_EMAIL, UNIQUE_EMAIL

_NEVER: ColumnElement[datetime] = literal_column("'infinity'::timestamptz")


def same_email(email: str) -> ColumnElement[bool]:
    """The condition under which `users.email` is this address, by the unique index."""
    return text(f"{FOLDED_EMAIL} = casefold((:email)::text COLLATE pg_unicode_fast)").bindparams(email=email)  # type: ignore[return-value]


async def find(session: AsyncSession, email: str) -> User | None:
    """The living person with this address."""
    return await session.scalar(select(User).where(same_email(email), User.deleted_at.is_(None)))


async def get(session: AsyncSession, user_id: UUID) -> User | None:
    """The person with this id, deleted or not."""
    return await session.get(User, user_id)


async def hold(session: AsyncSession, user_id: UUID) -> User | None:
    """The person as they are now and will stay until our commit: who wants to lock or readdress them waits."""
    return await session.get(User, user_id, populate_existing=True, with_for_update={"read": True})


async def hold_alone(session: AsyncSession, user_id: UUID, *, even_deleted: bool = False) -> User | None:
    """The living person, who stays as they are until our commit.

    Unlike with `hold`, those who ask take turns, and may change the person without waiting for each other for ever.
    """
    living = () if even_deleted else (User.deleted_at.is_(None),)
    return await session.scalar(
        select(User)
        .where(User.id == user_id, *living)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


async def add(session: AsyncSession, email: str, name: str, confirmed_at: datetime | None = None) -> User | None:
    """A new person, or None when the address is taken, however many try at once."""
    statement = (
        insert(User)
        .values(email=email, name=name, confirmed_at=confirmed_at)
        .on_conflict_do_nothing(index_elements=[text(FOLDED_EMAIL)], index_where=text("deleted_at IS NULL"))
        .returning(User)
    )
    return await session.scalar(statement)


async def change(session: AsyncSession, user_id: UUID, **values: Any) -> bool:
    """Write columns of a living person; whether there is one. Raises Conflict when the e-mail address is taken."""
    try:
        async with session.begin_nested():
            done = await session.execute(
                update(User).where(User.id == user_id, User.deleted_at.is_(None)).values(**values).returning(User.id)
            )
            found = done.first() is not None
    except IntegrityError as error:
        if UNIQUE_EMAIL in str(error.orig):
            raise Conflict("Another account has this e-mail address.") from error
        raise
    if found:
        revocation.mark(session)
    return found


async def restore(session: AsyncSession, user_id: UUID) -> bool:
    """Undo a deletion; whether there was one. Raises Conflict when the address belongs to somebody else by now."""
    try:
        async with session.begin_nested():
            done = await session.execute(
                update(User)
                .where(User.id == user_id, User.deleted_at.is_not(None))
                .values(deleted_at=None)
                .returning(User.id)
            )
            found = done.first() is not None
    except IntegrityError as error:
        if UNIQUE_EMAIL in str(error.orig):
            raise Conflict("Another account has this e-mail address by now.") from error
        raise
    if found:
        revocation.mark(session)
    return found


async def seen(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Remember that the person was here."""
    await session.execute(update(User).where(User.id == user_id).values(last_seen_at=now))


async def account(session: AsyncSession, user_id: UUID, now: datetime) -> Account | None:
    """All that an access decision looks at, with the roles held at `now`."""
    user = await session.get(User, user_id, populate_existing=True)
    return account_of(user, await held_roles(session, user_id, now)) if user else None


async def accounts(session: AsyncSession, ids: Sequence[UUID], now: datetime) -> list[Account]:
    """The same for several people, in the order of the ids; whoever is not there is left out."""
    found = {user.id: user for user in await session.scalars(select(User).where(User.id.in_(ids)))}
    held: dict[UUID, list[HeldRole]] = {}
    for row in await session.execute(_HELD_BY_SEVERAL, {"holders": ids, "moment": now}):
        held.setdefault(row.user_id, []).append(_held(row))
    return [account_of(found[each], tuple(held.get(each, ()))) for each in ids if each in found]


def account_of(user: User, held: tuple[HeldRole, ...]) -> Account:
    """The row and its roles as the frozen facts of a decision."""
    return Account(
        id=user.id,
        email=user.email,
        name=user.name,
        confirmed_at=user.confirmed_at,
        locked_at=user.locked_at,
        locked_reason=user.locked_reason,
        deleted_at=user.deleted_at,
        held=held,
    )


async def held_roles(session: AsyncSession, user_id: UUID, now: datetime) -> tuple[HeldRole, ...]:
    """The roles held at `now`, with what they permit and who gave them; by name."""
    return tuple(_held(row) for row in await session.execute(_HELD, {"holder": user_id, "moment": now}))


def holds(now: datetime | BindParameter[datetime]) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a grant is in force at `now`."""
    return (RoleGrant.ended_at.is_(None), func.coalesce(RoleGrant.expires_at, _NEVER) > now)


# Asked with every request, so it is put together once.
_ROLES = (
    select(
        Role.name,
        select(func.coalesce(func.array_agg(RolePermission.permission), text("'{}'::text[]")))
        .where(RolePermission.role_id == Role.id)
        .scalar_subquery()
        .label("permissions"),
        RoleGrant.granted_at,
        RoleGrant.expires_at,
        func.coalesce(
            select(User.email).where(User.id == RoleGrant.granted_by).scalar_subquery(), literal("the system")
        ).label("by"),
    )
    .join(RoleGrant, RoleGrant.role_id == Role.id)
    .where(*holds(bindparam("moment", type_=DateTime(timezone=True))))
    .order_by(Role.name)
)
_HELD = _ROLES.where(RoleGrant.user_id == bindparam("holder", type_=Uuid()))
_HELD_BY_SEVERAL = _ROLES.add_columns(RoleGrant.user_id).where(
    RoleGrant.user_id.in_(bindparam("holders", type_=Uuid(), expanding=True))
)


def _held(row: Row[Any]) -> HeldRole:
    return HeldRole(row.name, frozenset(row.permissions), row.granted_at, row.by, row.expires_at)
