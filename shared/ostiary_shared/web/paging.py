"""Keyset paging through the URL: a cursor is the sort key of the last row shown, never an offset."""

import base64
import json
from typing import Any

from ostiary_shared.errors import FieldError, Invalid

LONGEST = 1000


def to_cursor(key: list[Any]) -> str:
    """A sort key as a word for the URL."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":"), default=str).encode()).rstrip(b"=").decode()


def from_cursor(word: str, length: int) -> list[Any]:
    """The sort key again; raises Invalid when the word was tampered with."""
    try:
        key = json.loads(base64.urlsafe_b64decode(word[:LONGEST] + "=" * (-len(word[:LONGEST]) % 4)))
    except (ValueError, RecursionError):
        key = None
    if (
        not isinstance(key, list)
        or len(key) != length
        or not all(isinstance(part, str | int | float | None) for part in key)
    ):
        raise Invalid(FieldError("after", "This page link is damaged. Start again from the first page."))
    return key
