"""The id of a request: one word that stands in every line written on its behalf, by whichever process.

It is kept where structlog looks, so that each line has it without being told. Who may choose one, the door decides.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

from ostiary_shared.tokens import code

HEADER = "X-Request-Id"
FIELD = "request_id"


def fresh() -> str:
    """An id that nobody has yet."""
    return code(16)


def acceptable(given: str) -> bool:
    """Whether an id from elsewhere can stand in a line, a header and a row as it is."""
    return re.fullmatch(r"[A-Za-z0-9_.:-]{8,64}", given) is not None


@contextmanager
def carried(request_id: str, **more: object) -> Iterator[None]:
    """What is done in the block is done for this request; `more` stands in each of its lines, too."""
    known = {FIELD: request_id} if request_id else {}
    with bound_contextvars(**known, **more):
        yield


def current() -> str:
    """The id of the request that is being worked on; empty outside of one."""
    return str(get_contextvars().get(FIELD, ""))
