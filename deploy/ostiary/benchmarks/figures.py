"""Arithmetic on what was measured: medians of rounds, ratios inside one round, percentiles. Measures nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one contender: how many answers in how many seconds, how many of them wrong, and what they cost."""

    requests: int
    seconds: float
    wrong: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    cpu_seconds: float = 0.0
    database_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    def each(self, seconds: float) -> float:
        """Microseconds a request."""
        return 1e6 * seconds / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A contender in the table: medians over all rounds; `ratio` is the median of the ratios of each round."""

    name: str
    says: str
    per_second: float
    ratio: float
    against: str
    cpu_us: float
    database_us: float
    p50_ms: float
    p99_ms: float
    wrong: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure, in words and with its aim: `at_least` or `at_most`, or neither when it only informs."""

    name: str
    says: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the aim is met; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "reached": self.reached}


def row(name: str, says: str, against: str, rounds: Sequence[Mapping[str, Sample]]) -> Row:
    """The row of one contender out of all rounds; each round holds a sample of every contender."""
    samples = [turns[name] for turns in rounds]
    return Row(
        name,
        says,
        per_second=median(sample.per_second for sample in samples),
        ratio=ratio(rounds, name, against),
        against=against,
        cpu_us=median(sample.each(sample.cpu_seconds) for sample in samples),
        database_us=median(sample.each(sample.database_seconds) for sample in samples),
        p50_ms=median(sample.p50_ms for sample in samples),
        p99_ms=median(sample.p99_ms for sample in samples),
        wrong=sum(sample.wrong for sample in samples),
    )


def ratio(rounds: Sequence[Mapping[str, Sample]], name: str, against: str) -> float:
    """The median of the ratios inside each round: what the machine did in that round, it did to both."""
    shares = [
        turns[name].per_second / turns[against].per_second
        for turns in rounds
        if against in turns and turns[against].per_second
    ]
    return median(shares) if shares else 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0
