"""The mark of a device on which somebody signed in before, so that a stranger's guesses do not hold it up.

It opens nothing: whoever steals it gains a guessing allowance of its own, no more (OWASP's device cookies).
"""

import hmac
import re
from uuid import UUID

from ostiary_auth.tools import AuthTools
from ostiary_shared.tokens import marks, random_bytes


def mark(tools: AuthTools, user_id: UUID) -> str:
    """A fresh mark for a person's device."""
    nonce = random_bytes(16).hex()
    return f"{nonce}.{_tags(tools, nonce, user_id)[0]}"


def recognise(tools: AuthTools, shown: str | None, user_id: UUID) -> str | None:
    """The device's own name if the mark was made for this person, else None."""
    if shown is None or not re.fullmatch(r"[0-9a-f]{32}\.[0-9a-f]{64}", shown):
        return None
    nonce, tag = shown.split(".")
    return nonce if any(hmac.compare_digest(tag, ours) for ours in _tags(tools, nonce, user_id)) else None


def _tags(tools: AuthTools, nonce: str, user_id: UUID) -> list[str]:
    return [mark.hex() for mark in marks(f"{nonce}:{user_id}", tools.device_key)]
