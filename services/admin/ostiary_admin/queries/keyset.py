"""Keyset paging: a page starts after the sort key of the last row seen, so page 1,000 costs what page 1 costs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    Text,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.errors import FieldError, Invalid

Item = TypeVar("Item")
Key = list[Any]
Asked = Select[*tuple[Any, ...]]
Found = Row[*tuple[Any, ...]]

PAGE_SIZE = 50
MANY = 10_000
_NEVER: ColumnElement[Any] = literal_column("'-infinity'::timestamptz")


@dataclass(frozen=True, slots=True)
class Place:
    """Which page: the rows after a key, those before one, or the first."""

    after: Key | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The rows of a page, and the keys from which its neighbours start."""

    items: list[Item]
    next: Key | None
    previous: Key | None


@dataclass(frozen=True, slots=True)
class Order:
    """By what a list is sorted: an indexed expression, then the id. `shown` is its value for the cursor."""

    by: SQLColumnExpression[Any]
    id: SQLColumnExpression[Any]
    descending: bool = False
    shown: SQLColumnExpression[Any] | None = None
    moments: bool = False
    named: bool = False  # the id is text


async def page_of(
    session: AsyncSession, statement: Asked, order: Order, place: Place, make: Callable[[Found], Item]
) -> Page[Item]:
    """A page of `statement`. Raises Invalid when the key was tampered with."""
    backwards = place.before is not None
    key = place.before if backwards else place.after
    falling = order.descending != backwards
    shown = order.by if order.shown is None else order.shown
    asked = statement.add_columns(shown.label("sort_key"), order.id.label("sort_id"))
    if key is not None:
        here, there = tuple_(order.by, order.id), tuple_(*_values(order, key))
        asked = asked.where(here < there if falling else here > there)
    by = (order.by.desc(), order.id.desc()) if falling else (order.by, order.id)
    rows = list(await session.execute(asked.order_by(*by).limit(PAGE_SIZE + 1)))
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    if backwards:
        rows.reverse()
    keys = [[_plain(row.sort_key), str(row.sort_id)] for row in (rows[:1] + rows[-1:])]
    has_previous, has_next = (more, True) if backwards else (key is not None, more)
    return Page(
        [make(row) for row in rows],
        keys[-1] if keys and has_next else None,
        keys[0] if keys and has_previous else None,
    )


async def count_up_to(session: AsyncSession, statement: Asked, most: int = MANY) -> int:
    """How many rows there are, counting no further than `most` + 1: a large table must not slow a screen."""
    few = statement.limit(most + 1).subquery()
    return await session.scalar(select(func.count()).select_from(few)) or 0


def containing(column: SQLColumnExpression[Any], typed: str) -> ColumnElement[bool]:
    """Whether a column contains what was typed, whatever its case; signs of LIKE mean themselves."""
    escaped = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: ColumnElement[bool] = func.lower(column).like(func.lower(literal(f"%{escaped}%", Text)), escape="\\")
    return found


def _values(order: Order, key: Key) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    try:
        value, ident = key
        ident = literal(_text(ident), Text) if order.named else literal(UUID(ident))
        return _moment(value) if order.moments else literal(_text(value), Text), ident
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise Invalid(FieldError("after", "This page link is damaged. Start again from the first page.")) from None


def _moment(value: Any) -> ColumnElement[Any]:
    if value is None:
        return _NEVER
    when = datetime.fromisoformat(value)
    if when.tzinfo is None:
        raise ValueError(value)
    return literal(when.astimezone(UTC))  # at the ends of the calendar this overflows, here and not in the driver


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # half a surrogate pair is no text
    return value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
