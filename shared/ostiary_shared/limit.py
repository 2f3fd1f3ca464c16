"""What a rate limit is; counting against one is the counters' business."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in a burst, refilled evenly over `period`."""

    count: int
    period: timedelta

    @property
    def interval(self) -> timedelta:
        """How long one use takes to be forgiven."""
        return self.period / self.count
