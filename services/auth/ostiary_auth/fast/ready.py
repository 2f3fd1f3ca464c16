"""Whole answers, made once for a token at a host and sent again for as long as they are true and young."""

from typing import NamedTuple

from ostiary_auth.fast.answers import Answer
from ostiary_auth.fast.halves import Halves

# Each half, of some 1.2 KB. A session's JSON is made anew in a tenth of the time that an assertion is signed in: nobody
# who asks for that pushes out what is signed.
MOST_AT_GATE, MOST_SESSIONS = 15_000, 5_000


class Made(NamedTuple):
    """An answer, the record it was made from, and until when (by time.monotonic()) it and what is signed in it last."""

    answer: Answer
    kept: bytes
    standing: int
    until: float
    signed_until: float


Ready = Halves[bytes, Made]
