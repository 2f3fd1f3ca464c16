"""What an upgrade would do and what speaks against it, for people and for machines."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from ostiary.options import show
from ostiary.upgrades.rehearsal import Rehearsal
from ostiary.upgrades.survey import Survey
from ostiary_shared.release import VERSION

LONGEST = 70  # characters of a statement in the table
MB = 1_000_000
# Seconds. A request that waits longer for its connection is answered 503 (database.POOL_WAIT).
FELT = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """A survey, perhaps a rehearsal, the folder for the backup (None: there will be none), and why it was not tried."""

    survey: Survey
    rehearsal: Rehearsal | None = None
    folder: Path | None = None
    untried: str = ""
    free: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.folder:
            object.__setattr__(self, "free", shutil.disk_usage(self.folder).free)

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against it, with the remedy; nothing at best."""
        found = [*self.survey.strangers]
        if self.untried:
            found.append(f"It could not be rehearsed: {self.untried}")
        if self.folder and self.free < self.survey.size:
            found.append(
                f"{self.folder} has {_mb(self.free)} free, and the backup may need {_mb(self.survey.size)}: "
                "name another folder with --backup-to."
            )
        if self.rehearsal:
            found += [
                f"On the copy, {lock.words}: requests would be refused. Upgrade when nobody is at work."
                for one in self.rehearsal.statements
                for lock in one.locks
                if lock.seconds > FELT
            ]
        return tuple(found)

    @property
    def way_back(self) -> str:
        """What `--undo` could do afterwards."""
        closed = next((step for step in reversed(self.survey.pending) if step.no_way_back), None)
        if closed:
            return f"Going back is restoring the backup: {closed.no_way_back}"
        kept = [words for step in self.survey.pending for words in step.loses]
        unless = f", as long as there are none of: {', '.join(kept)}" if kept else ""
        return f"./ostiary upgrade --undo goes back{unless}."

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        tried = self.rehearsal and {
            "seconds": round(self.rehearsal.seconds, 3),
            "rows": self.rehearsal.backup.rows,
            "statements": [one.to_json() for one in self.rehearsal.statements],
        }
        disk = {"folder": str(self.folder), "free_bytes": self.free} if self.folder else None
        return {
            **self.survey.to_json(),
            "rehearsal": tried,
            "disk": disk,
            "way_back": self.way_back if self.survey.pending else "",
            "against": list(self.against),
        }

    def print(self) -> None:
        """For people."""
        survey = self.survey
        if not survey.pending:
            click.echo(f"The database is at revision {survey.revision}, as release {VERSION} wants it: nothing to do.")
        else:
            click.echo(f"From {survey.release or 'an empty database'} to {VERSION}:")
            show(("Step", "What it does"), [(step.revision, f"{step.title}.") for step in survey.pending])
            click.echo(self._skipping())
        click.echo(self._at_work())
        if self.rehearsal:
            self._print_rehearsal(self.rehearsal)
        if survey.pending and self.folder:
            click.echo(f"The database has {_mb(survey.size)}; {self.folder} has {_mb(self.free)} free for the backup.")
        if survey.pending:
            click.echo(self.way_back)
        for sentence in self.against:
            click.echo(f"✗ {sentence}")

    def _skipping(self) -> str:
        skipped = self.survey.skipped
        if not skipped:
            return "No release is skipped."
        return (
            f"On the way it passes through {', '.join(skipped)}. That is safe: each step is tested from each release."
        )

    def _at_work(self) -> str:
        survey = self.survey
        if not survey.running:
            return "No service is connected to the database."
        names = f" ({', '.join(survey.replicas)})" if survey.replicas else ""
        fine = "" if survey.strangers or not survey.pending else " They may go on serving meanwhile and afterwards."
        return f"At work: {', '.join(map(str, survey.running))}{names}.{fine}"

    def _print_rehearsal(self, went: Rehearsal) -> None:
        click.echo(f"Tried on a copy with {went.backup.rows:,} rows, in {went.seconds:.2f} s:")
        rows = [
            (one.revision, _short(one.statement), f"{1000 * one.seconds:.1f} ms", "; ".join(_felt(one.locks)))
            for one in went.statements
        ]
        show(("Step", "Statement", "Took", "Locks that others feel"), rows)


def _felt(locks: list[Any]) -> list[str]:
    return [lock.words for lock in locks] or ["none"]


def _short(statement: str) -> str:
    return statement if len(statement) <= LONGEST else f"{statement[:LONGEST]}…"


def _mb(size: int) -> str:
    return f"{size / MB:,.0f} MB"
