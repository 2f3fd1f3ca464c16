"""What the judge heard, for people and for machines."""

from dataclasses import dataclass
from statistics import quantiles

from ostiary.revocation_check.judge import Judge


@dataclass(frozen=True, slots=True)
class Counts:
    """How often what was done: acts, faults, questions to each replica, and answers that say nothing, by status."""

    acts: dict[str, int]
    faults: dict[str, int]
    by_replica: dict[str, int]
    odd: dict[int, int]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run in figures."""

    seconds: float
    judge: Judge
    counts: Counts
    receipts: list[int]
    skewed: bool

    @property
    def holds(self) -> bool:
        """Whether nobody was accepted who must not be."""
        return not self.judge.wrong

    def to_json(self) -> dict[str, object]:
        """The figures by name."""
        judge = self.judge
        return {
            "holds": self.holds,
            "seconds": round(self.seconds, 1),
            "operations": judge.operations,
            "accepted": judge.accepted,
            "refused": judge.refused,
            "unknown": judge.unknown,
            "asked_after_a_revoke": judge.after_revocation,
            "revocations": judge.revocations,
            "revocations_unsure": judge.unsure,
            "acts": self.counts.acts,
            "faults": self.counts.faults,
            "asked_by_replica": self.counts.by_replica,
            "odd_statuses": self.counts.odd,
            "skewed_clock": self.skewed,
            "receipt_milliseconds": self.receipt_figures(),
            "needless_refusals": judge.needless,
            "differed_meanwhile": judge.differed,
            "violations": judge.wrong,
            "first_violations": [violation.words() for violation in judge.violations],
        }

    def receipt_figures(self) -> dict[str, int]:
        """How long whoever took something away had to wait."""
        if len(self.receipts) < 2:
            return {}
        cuts = quantiles(self.receipts, n=100)
        return {"p50": round(cuts[49]), "p90": round(cuts[89]), "p99": round(cuts[98]), "max": max(self.receipts)}

    def lines(self) -> list[str]:
        """The figures in sentences."""
        judge = self.judge
        acts = sum(self.counts.acts.values())
        faults = ", ".join(f"{count} × {name}" for name, count in self.counts.faults.items()) or "none"
        waited = ", ".join(f"{name} {value} ms" for name, value in self.receipt_figures().items())
        return [
            (
                f"{judge.operations:,} questions in {self.seconds:.0f} s: {judge.accepted:,} accepted, "
                f"{judge.refused:,} refused, {judge.unknown:,} without an answer that says anything"
            ),
            (
                f"{judge.revocations:,} rights taken away by {acts:,} acts ({judge.unsure} may have "
                f"happened); {judge.after_revocation:,} questions came after that"
            ),
            f"faults: {faults}; a replica with a wrong clock: {'yes' if self.skewed else 'no'}",
            f"receipts: {waited or 'none'}",
            f"refused although nothing was taken away: {judge.needless}",
            *judge.excuses[:3],
            f"accepted by one replica while another refused already, before the revoke returned: {judge.differed}",
            f"accepted although it was over: {judge.wrong}",
            *(violation.words() for violation in judge.violations[:10]),
        ]
