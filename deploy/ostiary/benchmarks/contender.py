"""Who takes part in the alternating rounds: requests to a server, the right answer to them, and who is billed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ostiary.benchmarks import machine, probe, requests
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Sample
from ostiary.benchmarks.generator import Order
from ostiary.benchmarks.load import made

CONNECTIONS = 32
WARM_SECONDS = 120.0
LAP_SECONDS = 0.5


@dataclass(frozen=True)
class Expected:
    """The right answer to the first request: its status and what must stand in headers (or, under "", in the body)."""

    status: int
    says: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """One row of the table. `pids` are billed for the work, `against` is whom it is compared with."""

    name: str
    says: str
    port: int
    file: Path
    expected: Expected
    pids: tuple[int, ...]
    against: str = "nginx"
    core: int | None = 1
    """The core of the load, by number; None lets it roam."""


def check(contender: Contender) -> None:
    """Ask once and see that it is the right answer of the right server: a wrong one is often a fast one."""
    try:
        answer = probe.ask(contender.port, requests.kept(contender.file)[0])
    except OSError as error:
        raise Unmeasured(f"{contender.name} does not answer: {error}") from None
    if answer.status != contender.expected.status:
        raise Unmeasured(
            f"{contender.name} answers {answer.status}, not {contender.expected.status}: {answer.body[:200]}"
        )
    for name, wanted in contender.expected.says.items():
        seen = answer.headers.get(name, "") if name else answer.body
        if wanted not in seen:
            raise Unmeasured(f"{contender.name} answers without {wanted!r} in {name or 'its body'}")


def warm(contender: Contender, seconds: float = WARM_SECONDS) -> None:
    """Send every request once or more, so that what is remembered is remembered.

    Every load begins anew somewhere in the file: only one that goes round has sent them all.
    """
    wanted, spent = len(requests.kept(contender.file)), 0.0
    next_one = 1.0 if wanted > CONNECTIONS else 0.2
    while spent < seconds:
        sample = _load(contender, min(next_one, seconds - spent))
        spent += sample.seconds
        if sample.requests >= wanted or not sample.requests:
            return
        next_one = 1.2 * sample.seconds * wanted / sample.requests


def turn(contender: Contender, seconds: float, database: list[int]) -> Sample:
    """One turn: so many seconds of load, with what the server and the database have used meanwhile.

    Since the last one others had theirs, and assertions have grown old: everybody asks once more before it counts.
    """
    probe.lap(contender.port, requests.kept(contender.file), min(LAP_SECONDS, seconds))
    before, before_database = machine.used(contender.pids), machine.used(database)
    sample = _load(contender, seconds)
    return replace(
        sample,
        cpu_seconds=machine.used(contender.pids) - before,
        database_seconds=machine.used(database) - before_database,
    )


def _load(contender: Contender, seconds: float) -> Sample:
    order = Order(contender.port, str(contender.file), CONNECTIONS, seconds)
    return made(order, core=contender.core, refusals=contender.expected.status >= 400)
