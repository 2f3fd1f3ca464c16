"""Every measurement by name, and running those that are wanted in one world."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ostiary.benchmarks import (
    aims,
    doors,
    flood,
    footprints,
    frozen,
    load,
    machine,
    million,
    page,
    peers,
    propagation,
    reference,
    rounds,
    sign_ins,
    statements,
    world,
)
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding, Row
from ostiary.benchmarks.report import Report
from ostiary.benchmarks.rounds import Tell
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

# These take part in the alternating rounds; the first is what all others are compared with.
ALTERNATING = (reference, doors, page, peers)
# These are measured one after the other.
SINGLE: tuple[Any, ...] = (statements, sign_ins, flood, propagation, frozen, footprints, million)
NAMES = tuple(name for module in (*ALTERNATING, *SINGLE) for name in module.NAMES)


def run(terms: Terms, tell: Tell) -> Report:
    """Measure what is wanted; `tell` hears what is being done, and, after a `! `, what could not be."""
    report = Report(terms, load.generator(terms.seconds), machine.about())

    def heard(said: str) -> None:
        if said.startswith("! "):
            report.unmeasured.append(said[2:])
        tell(said)

    with world.built(terms.people) as built:
        if any(terms.wants(*module.NAMES) for module in ALTERNATING):
            report.rows += _alternating(built, terms, heard)
            report.findings += aims.of(report.rows)
        for module in SINGLE:
            if terms.wants(*module.NAMES):
                heard(", ".join(module.NAMES))
                report.findings += _findings(module.measure, built, terms, heard)
    return report


def _alternating(built: World, terms: Terms, tell: Tell) -> list[Row]:
    with contextlib.ExitStack() as stack:
        everybody = []
        for module in ALTERNATING:
            try:
                everybody += stack.enter_context(module.contenders(built, terms))
            except Unmeasured as error:
                tell(f"! {error}")
        return rounds.run(everybody, terms, built.database_pids(), tell)


def _findings(
    measure: Callable[[World, Terms], Iterator[Finding]], built: World, terms: Terms, tell: Tell
) -> list[Finding]:
    try:
        return list(measure(built, terms))
    except Unmeasured as error:
        tell(f"! {error}")
        return []
