"""Whole answers, made once for a token at a host and sent again for as long as they are true and young."""

from typing import NamedTuple

from ostiary_auth.fast.answers import Answer
from ostiary_auth.fast.halves import Halves

MOST = 15_000  # each half, of some 1.2 KB


class Made(NamedTuple):
    """An answer, the record it was made from, and until when (by time.monotonic()) it and what is signed in it last."""

    answer: Answer
    kept: bytes
    standing: int
    until: float
    signed_until: float


class Ready(Halves[bytes, Made]):
    """Token key and host → answer. Cleared whenever standings are numbered anew: what is kept names a number."""

    def __init__(self) -> None:
        super().__init__(MOST)
