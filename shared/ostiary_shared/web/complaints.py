"""What the validator found, in words for people: never its own sentences, patterns or type names."""

from collections.abc import Mapping
from typing import Any

# What pydantic calls it: what there is to do about it.
_PLAIN = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "string_type": "This must be text.",
    "string_unicode": "This must be text.",
    "string_sub_type": "This must be text.",
    "secret_type": "This must be text.",
    "model_type": "Please send an object with fields.",
    "model_attributes_type": "Please send an object with fields.",
    "dict_type": "Please send an object with fields.",
    "int_parsing_size": "That number is too large.",
    "timezone_aware": "Please add the time zone, such as Z or +01:00.",
    "date_from_datetime_inexact": "Please send a day without a time, such as 2026-12-31.",
}
# The same by how such names begin, for what comes in many kinds.
_BY_BEGINNING = (
    ("tuple_", "Please send a list."),
    ("list_", "Please send a list."),
    ("frozen_set_", "Please send a list."),
    ("set_", "Please send a list."),
    ("int_", "Please enter a whole number."),
    ("float_", "Please enter a number."),
    ("finite_", "Please enter a number."),
    ("bool_", "Please choose yes or no: true or false."),
    ("date_", "Please enter a day such as 2026-12-31."),
    ("datetime_", "Please enter a time such as 2026-12-31T18:00:00Z."),
    ("uuid_", "This is not an id of ours."),
)
# A pattern says nothing to people: its field says what it takes.
PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]{0,49}$": (
        "Please use small letters, digits, dot, dash and underscore, a letter or digit first; at most 50 in all."
    )
}


def in_words(kind: str, context: Mapping[str, Any], message: str) -> str:
    """A sentence for one finding of pydantic: its type, what it knows about it, and its own message."""
    if kind == "value_error":
        return f"This {message.removeprefix('Value error, ')}."
    if kind in {"enum", "literal_error"}:
        offered = str(context.get("expected", "the offered values")).replace("'', ", "").replace(" or ''", "")
        return f"Please choose one of {offered}."
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(str(context.get("pattern", "")), "This is not written as it has to be.")
    found = _size(kind, context) or _PLAIN.get(kind)
    beginnings = (words for beginning, words in _BY_BEGINNING if kind.startswith(beginning))
    return found or next(beginnings, "This cannot be used here.")


def _size(kind: str, context: Mapping[str, Any]) -> str | None:
    match kind:
        case "string_too_short" | "too_short" if context.get("min_length", 1) <= 1:
            return "This is needed."
        case "string_too_short" | "too_short":
            return f"Please {_many(context, 'at least', context['min_length'])}."
        case "string_too_long" | "too_long":
            return f"Please {_many(context, 'at most', context['max_length'])}."
        case "greater_than_equal":
            return f"Please enter a number of at least {context['ge']}."
        case "less_than_equal":
            return f"Please enter a number of at most {context['le']}."
        case _:
            return None


def _many(context: Mapping[str, Any], bound: str, number: int) -> str:
    """A text that one of our own rules looked at before is called a "Value"."""
    listed = context.get("field_type", "Value") != "Value"
    return f"send {bound} {number} of these" if listed else f"use {bound} {number} characters"
