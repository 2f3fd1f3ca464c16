"""The figures as tables for people, or as JSON for machines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from ostiary.benchmarks.figures import Finding, Row
from ostiary.benchmarks.terms import Terms

WIDTH = 150
OWN_GENERATOR = (
    "Our own load generator tires before nginx does, so × flatters us: install wrk for shares, or compare the µs."
)


@dataclass
class Report:
    """Everything that was measured, and what could not be."""

    terms: Terms
    generator: str
    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "rounds": self.terms.rounds,
            "seconds": self.terms.seconds,
            "people": self.terms.people,
            "generator": self.generator,
            "machine": self.machine,
            "rows": [row.to_json() for row in self.rows],
            "findings": [finding.to_json() for finding in self.findings],
            "unmeasured": self.unmeasured,
        }

    def show(self) -> None:
        """Print the tables."""
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
        if self.rows:
            console.print(_rows(self.rows))
            console.print(
                f"Medians of {self.terms.rounds} rounds of {self.terms.seconds:g} s; load by {self.generator};"
                f" {self.machine['cores']} cores. × is the median of the ratios of each round. µs are processor time"
                " a request."
            )
            if self.generator != "wrk":
                console.print(OWN_GENERATOR)
        if self.findings:
            console.print(_findings(self.findings))
        for said in self.unmeasured:
            console.print(f"Not measured: {said}", markup=False)


def _rows(rows: Sequence[Row]) -> Table:
    table = Table("name", "what", box=None, pad_edge=False)
    for heading in ("a second", "×", "of", "µs", "µs PostgreSQL", "p50 ms", "p99 ms", "wrong"):
        table.add_column(heading, justify="left" if heading == "of" else "right")
    for row in rows:
        table.add_row(
            row.name,
            row.says,
            f"{row.per_second:,.0f}",
            f"{row.ratio:.3f}",
            row.against,
            f"{row.cpu_us:.1f}",
            f"{row.database_us:.1f}",
            f"{row.p50_ms:.2f}",
            f"{row.p99_ms:.2f}",
            str(row.wrong),
        )
    return table


def _findings(findings: Sequence[Finding]) -> Table:
    table = Table("name", "what", box=None, pad_edge=False)
    for heading in ("figure", "", "aim", "reached"):
        table.add_column(heading, justify="right" if heading == "figure" else "left")
    words = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}
    for finding in findings:
        figure = f"{finding.value:,.0f}" if finding.value == int(finding.value) else f"{finding.value:,.3f}"
        table.add_row(finding.name, finding.says, figure, finding.unit, _aim(finding), words[finding.reached])
    return table


def _aim(finding: Finding) -> str:
    if finding.at_least is not None:
        return f"≥ {finding.at_least:g}"
    return "" if finding.at_most is None else f"≤ {finding.at_most:g}"
