"""The mark by which auth knows a question of the operator's own doctor: made with auth's key, good for a minute.

It opens nothing. Whoever carries it is told what arrived of their own request, which is how a proxy's faults show.
"""

from datetime import datetime

from ostiary_shared.tokens import Key, marks, same

HEADER = "Ostiary-Probe"
SECONDS = 60


def mark(key: Key, now: datetime) -> str:
    """What the doctor says in `HEADER`."""
    at = str(int(now.timestamp()))
    return f"{at}.{marks(at, key)[0].hex()}"


def believed(key: Key, said: str, now: datetime) -> bool:
    """Whether `said` is a mark of the last minute, or of a clock that is a minute ahead."""
    at, _, signed = said.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < 12) or abs(int(at) - now.timestamp()) > SECONDS:
        return False
    try:
        given = bytes.fromhex(signed)
    except ValueError:
        return False
    return any(same(given, one) for one in marks(at, key))
