"""People as the list and the page of one show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from ostiary_admin.queries.keyset import Asked, Order, Page, Place, containing, page_of
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Role, RoleGrant, User
from ostiary_shared.store.users import holds

ORDERS = {
    "email": Order(func.lower(User.email), User.id),
    "name": Order(func.lower(User.name), User.id),
    "created": Order(User.created_at, User.id, moments=True),
    "seen": Order(
        func.coalesce(User.last_seen_at, text("'-infinity'::timestamptz")),
        User.id,
        shown=User.last_seen_at,
        moments=True,
    ),
}
STATES = ("active", "locked", "deleted", "any")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which people. Deleted ones are shown when asked for."""

    q: str = ""
    role: str = ""
    state: str = ""
    confirmed: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as lists and the API show them. There is no password here, nor anything made from one."""

    id: UUID
    email: str
    name: str
    roles: list[str]
    created_at: datetime
    confirmed_at: datetime | None
    last_seen_at: datetime | None
    locked_at: datetime | None
    locked_reason: str
    deleted_at: datetime | None


async def page(work: AdminWork, wanted: Filter, sort: str, place: Place) -> Page[PersonRow]:
    """A page of people; `sort` is a name of ORDERS, with `-` in front for the other way round."""
    known = ORDERS[sort.removeprefix("-")]
    order = Order(known.by, known.id, sort.startswith("-"), known.shown, known.moments)
    return await page_of(work.session, _filtered(work.now, wanted), order, place, lambda row: PersonRow(*row[:10]))


async def get(work: AdminWork, user_id: UUID) -> PersonRow:
    """One person, deleted or not. Raises NotFound."""
    row = (await work.session.execute(_people(work.now).where(User.id == user_id))).first()
    if row is None:
        raise NotFound("There is no such person.")
    return PersonRow(*row)


def _people(now: datetime) -> Asked:
    names = (
        select(func.coalesce(func.array_agg(Role.name), cast(text("'{}'"), ARRAY(Text))))
        .join(RoleGrant, RoleGrant.role_id == Role.id)
        .where(RoleGrant.user_id == User.id, *holds(now))
        .correlate(User)
        .scalar_subquery()
    )
    return select(
        User.id,
        User.email,
        User.name,
        names.label("roles"),
        User.created_at,
        User.confirmed_at,
        User.last_seen_at,
        User.locked_at,
        User.locked_reason,
        User.deleted_at,
    )


def _filtered(now: datetime, wanted: Filter) -> Asked:
    asked = _people(now)
    if wanted.q:
        asked = asked.where(or_(containing(User.email, wanted.q), containing(User.name, wanted.q)))
    if wanted.role:
        holders = (
            select(RoleGrant.user_id)
            .join(Role, Role.id == RoleGrant.role_id)
            .where(Role.name == wanted.role, *holds(now))
        )
        asked = asked.where(User.id.in_(holders))
    if wanted.confirmed:
        confirmed = User.confirmed_at.is_not(None)
        asked = asked.where(confirmed if wanted.confirmed == "yes" else ~confirmed)
    match wanted.state:
        case "any":
            return asked
        case "deleted":
            return asked.where(User.deleted_at.is_not(None))
        case "locked":
            return asked.where(User.deleted_at.is_(None), User.locked_at.is_not(None))
        case "active":
            return asked.where(User.deleted_at.is_(None), User.locked_at.is_(None))
        case _:
            return asked.where(User.deleted_at.is_(None))
