"""What the lists have in common: a place to go on from, and yes-or-no as URLs write it."""

from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field

from ostiary_shared.web.forms import Input, Line
from ostiary_shared.web.paging import from_cursor

FIRST_YEAR, LAST_YEAR = 1900, 2999  # the calendar's own ends do not survive a change of the time zone
When = TypeVar("When", bound=date)


def near(when: When) -> When:
    """A day or moment that people mean, and that can be counted with."""
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise ValueError(f"must be between the years {FIRST_YEAR} and {LAST_YEAR}")
    return when


Day = Annotated[date, AfterValidator(near)]
Word = Annotated[Line, Field(max_length=1000)]
Cursor = Annotated[str, Field(max_length=2000)]
Reason = Annotated[Line, Field(min_length=1, max_length=500)]
Remark = Annotated[Line, Field(max_length=500)]


class Listing(Input):
    """A page of a list: after or before the row that a cursor names."""

    after: Cursor = ""
    before: Cursor = ""

    @property
    def keys(self) -> tuple[list[Any] | None, list[Any] | None]:
        """The sort keys behind the cursors. Raises Invalid when they were tampered with."""
        return _key(self.after), _key(self.before)


def _key(word: str) -> list[Any] | None:
    return from_cursor(word, 2) if word else None


class OfSomebody(Listing):
    """A list, of one person if asked."""

    user: UUID | None = None


class Because(Input):
    """Why something is done."""

    reason: Reason


class PerhapsBecause(Input):
    """Why something is done, if there is something to say."""

    reason: Remark = ""


class Back(Input):
    """The page of ours to return to."""

    back: Annotated[Line, Field(max_length=2000)] = ""
