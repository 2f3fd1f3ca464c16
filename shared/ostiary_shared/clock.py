"""The one door to the time of day. Nothing else may call `datetime.now`."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def micros() -> int:
    """The same in microseconds since 1970, for comparing many times a second."""
    return time.time_ns() // 1000
