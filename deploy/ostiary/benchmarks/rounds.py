"""Alternating rounds, A B C … A B C …: what the machine does meanwhile, it does to all of them alike."""

from collections.abc import Callable, Mapping, Sequence

from ostiary.benchmarks import contender as contenders
from ostiary.benchmarks import machine
from ostiary.benchmarks.contender import Contender
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Row, Sample, row
from ostiary.benchmarks.terms import Terms

Tell = Callable[[str], None]


def run(everybody: Sequence[Contender], terms: Terms, database: list[int], tell: Tell) -> list[Row]:
    """The rows of all contenders; whoever answers wrongly before the first round is told of and left out."""
    present = [contender for contender in everybody if _ready(contender, tell)]
    rounds = [_round(number, present, terms, database, tell) for number in range(1, terms.rounds + 1)]
    return [row(contender.name, contender.says, contender.against, rounds) for contender in present]


def _ready(contender: Contender, tell: Tell) -> bool:
    tell(f"warming {contender.name}")
    try:
        contenders.check(contender)
        contenders.warm(contender)
        contenders.check(contender)
    except Unmeasured as error:
        tell(f"! {error}")
        return False
    return True


def _round(
    number: int, present: Sequence[Contender], terms: Terms, database: list[int], tell: Tell
) -> Mapping[str, Sample]:
    patience, turns = machine.PATIENCE, {}
    for contender in present:
        patience = machine.wait_for_quiet(patience)
        tell(f"round {number} of {terms.rounds}: {contender.name}")
        turns[contender.name] = contenders.turn(contender, terms.seconds, database)
    return turns
