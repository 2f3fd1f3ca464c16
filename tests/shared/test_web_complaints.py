"""What is wrong with a field is said in words for people, whatever the validator calls it."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, Field, StrictBool

from ostiary_shared.errors import Invalid
from ostiary_shared.web.complaints import PATTERNS
from ostiary_shared.web.forms import Input, Line, Secret, validated


class Colour(StrEnum):
    """Two of them."""

    RED = "red"
    BLUE = "blue"


class Everything(Input):
    """A field of each kind that the services read."""

    role: Annotated[Line, Field(pattern=next(iter(PATTERNS)))] = "a"
    other: Annotated[Line, Field(pattern="^x+$")] = "x"
    words: Annotated[tuple[Annotated[Line, Field(max_length=5)], ...], Field(min_length=0, max_length=2)] = ()
    pair: Annotated[tuple[Line, ...], Field(min_length=2)] = ("a", "b")
    secret: Annotated[Secret, Field(min_length=3, max_length=5)] | None = None
    level: Annotated[int, Field(ge=1, le=3)] = 1
    on: bool = False
    strict: StrictBool = False
    match: Literal["", "prefix", "exact"] = "prefix"
    sort: Literal["up", "down", ""] = "up"
    day: date | None = None
    moment: AwareDatetime | None = None
    user: UUID | None = None
    colours: tuple[Colour, ...] = ()
    within: "Everything | None" = None


def told(**sent: Any) -> str:
    with pytest.raises(Invalid) as caught:
        validated(Everything, sent)
    return caught.value.errors[0].message


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"role": "Big Boss"}, "Please use small letters, digits, dot, dash and underscore"),
        ({"role": "a" * 51}, "at most 50"),
        ({"other": "y"}, "This is not written as it has to be."),
        ({"words": "x"}, "Please send a list."),
        ({"words": ["a", "b", "c"]}, "Please send at most 2 of these."),
        ({"words": ["abcdef"]}, "Please use at most 5 characters."),
        ({"words": [3]}, "This must be text."),
        ({"pair": ["a"]}, "Please send at least 2 of these."),
        ({"secret": "ab"}, "Please use at least 3 characters."),
        ({"secret": "abcdef"}, "Please use at most 5 characters."),
        ({"level": 0}, "Please enter a number of at least 1."),
        ({"level": 4}, "Please enter a number of at most 3."),
        ({"level": "two"}, "Please enter a whole number."),
        ({"level": 1.5}, "Please enter a whole number."),
        ({"level": None}, "Please enter a whole number."),
        ({"level": "9" * 5000}, "That number is too large."),
        ({"on": "perhaps"}, "Please choose yes or no: true or false."),
        ({"strict": 1}, "Please choose yes or no: true or false."),
        ({"match": "some"}, "Please choose one of 'prefix' or 'exact'."),
        ({"sort": "sideways"}, "Please choose one of 'up', 'down'."),
        ({"day": "2026-13-01"}, "Please enter a day such as 2026-12-31."),
        ({"day": "2026-01-01T10:00:00"}, "Please send a day without a time"),
        ({"moment": "soon"}, "Please enter a time such as"),
        ({"moment": "2026-01-01T10:00:00"}, "Please add the time zone"),
        ({"user": "ada"}, "This is not an id of ours."),
        ({"user": 3}, "This is not an id of ours."),
        ({"colours": ["green"]}, "Please choose one of 'red' or 'blue'."),
        ({"within": 3}, "Please send an object with fields."),
    ],
)
def test_what_is_wrong_is_said_in_words(sent: dict[str, Any], says: str) -> None:
    message = told(**sent)
    assert says in message
    for raw in ("Input should", "String should", "valid", "pattern", "^", "parse"):
        assert raw not in message
