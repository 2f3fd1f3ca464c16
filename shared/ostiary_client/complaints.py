"""What an app's log is told when nobody can be believed: one line a minute for each cause, and never a token."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ostiary_client.assertion import AssertionInvalid, KeysUnavailable

EVERY_SECONDS = 60.0
_LOG = logging.getLogger("ostiary_client")


class Complaints:
    """One for each verifier, so that a flood of bad requests does not become a flood of lines."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def tell(self, error: AssertionInvalid | KeysUnavailable) -> None:
        """Log why, unless that cause was logged within the last minute."""
        cause = error.cause if isinstance(error, AssertionInvalid) else "keys"
        now = time.monotonic()
        if now - self._told.get(cause, -EVERY_SECONDS) >= EVERY_SECONDS:
            self._told[cause] = now
            _LOG.warning("%s", error)

    @contextmanager
    def told(self) -> Iterator[None]:
        """What the block raises is logged on its way."""
        try:
            yield
        except (AssertionInvalid, KeysUnavailable) as error:
            self.tell(error)
            raise
