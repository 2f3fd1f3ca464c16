"""Whole answers, made once for a token at a host and sent again for as long as they are true and young."""

from typing import NamedTuple

from ostiary_auth.fast.answers import Answer

MOST = 30_000


class Made(NamedTuple):
    """An answer, the record it was made from, and until when (by time.monotonic()) it and what is signed in it last."""

    answer: Answer
    kept: bytes
    standing: int
    until: float
    signed_until: float


class Ready:
    """Token key and host → answer. Kept in two halves; the older is dropped when both are full."""

    def __init__(self) -> None:
        self._young: dict[bytes, Made] = {}
        self._old: dict[bytes, Made] = {}

    def clear(self) -> None:
        """Forget them, as always when standings are numbered anew: what is kept names a number."""
        self._young, self._old = {}, {}

    def get(self, key: bytes) -> Made | None:
        """What was made before; the caller sees whether it still holds."""
        return self._young.get(key) or self._old.get(key)

    def keep(self, key: bytes, made: Made) -> None:
        """Keep it for the next time."""
        if len(self._young) >= MOST:
            self._old, self._young = self._young, {}
        self._young[key] = made
