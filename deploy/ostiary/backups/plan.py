"""What a restore would do, said before it is done."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import click

from ostiary.backups.manifest import Manifest
from ostiary.backups.terms import Place
from ostiary.options import show

AUDITED = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True)
class Plan:
    """The backup, the place it would go to, and the revision it would have then."""

    backup: Manifest
    here: Place
    head: str
    keep_api_tokens: bool

    @property
    def steps(self) -> tuple[str, ...]:
        """In their order; all of them are one transaction."""
        kept = sum(self.here.counts.values())
        away = f"Drop the {kept:,} rows in {len(self.here.counts)} tables that are here." if self.here.counts else ""
        newer = self.backup.revision != self.head
        ends = "session, mailed link" + ("" if self.keep_api_tokens else ", API token") + " and signing key"
        return tuple(
            step
            for step in (
                "Close the tables: services that run answer 503 until it is done." if self.here.counts else "",
                away,
                f"Restore {self.backup.rows:,} rows in {len(self.backup.counts)} tables, and count them.",
                f"Upgrade the schema from {self.backup.revision} to {self.head}." if newer else "",
                f"End every {ends} of before; drop the mails that wait, since they may have been sent.",
                "Open the tables. If anything fails on the way, all is as it was.",
            )
            if step
        )

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        place = {**asdict(self.here), "newest": self.here.newest and self.here.newest.isoformat()}
        return {"backup": self.backup.to_json(), "place": place, "steps": list(self.steps)}

    def print(self, name: str) -> None:
        """For people."""
        describe(self.backup, name)
        if not self.here.counts:
            click.echo(f"The place: the database {self.here.database}, which is empty.\n")
        else:
            self._print_place()
        for number, step in enumerate(self.steps, 1):
            click.echo(f"{number}. {step}")

    def _print_place(self) -> None:
        newest, taken = self.here.newest, self.backup.taken_at
        said = f", last act {newest:{AUDITED}}" if newest else ""
        if newest and newest > taken:
            said += f", {_span(newest - taken)} after the backup"
        click.echo(f"The place: the database {self.here.database} at revision {self.here.revision}{said}.\n")
        names = sorted({*self.backup.counts, *self.here.counts})
        differing = [name for name in names if self.backup.counts.get(name, 0) != self.here.counts.get(name, 0)]
        if differing:
            rows = [(name, _number(self.backup.counts, name), _number(self.here.counts, name)) for name in differing]
            show(("Table", "In the backup", "Here"), rows)
        else:
            click.echo("Every table has as many rows here as in the backup.")
        if self.here.undone:
            click.echo("\nThis would undo, of what was done here since the backup:")
            show(("Act", "Times"), [(name, f"{count:,}") for name, count in self.here.undone.items()])
            click.echo("Whoever changed a password since has the former one again; so has a service its secret.")
        click.echo()


def describe(backup: Manifest, name: str) -> None:
    """Say what a backup is."""
    sealed = {
        "": "not encrypted",
        "recipients": "encrypted for recipients",
        "passphrase": "encrypted with a passphrase",
    }
    click.echo(
        f"The backup: {name}, taken {backup.taken_at:{AUDITED}} of the database {backup.database} by release "
        f"{backup.release} at revision {backup.revision}; {backup.rows:,} rows, {backup.size:,} bytes, "
        f"{sealed.get(backup.encrypted, backup.encrypted)}."
    )


def _number(counts: dict[str, int], name: str) -> str:
    return f"{counts[name]:,}" if name in counts else "–"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
