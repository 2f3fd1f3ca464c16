"""`backup`: takes one, shows what one is, and rehearses the way back."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import click

from ostiary.backups import asking, plan
from ostiary.backups.archive import read
from ostiary.backups.drilling import Drilled, drill
from ostiary.backups.manifest import Manifest
from ostiary.backups.taking import take
from ostiary.backups.terms import Restoring, Taking
from ostiary.faults import FINDING, Refusal
from ostiary.options import Asked, asked
from ostiary.options import show as show_table
from ostiary.telling import told
from ostiary_shared import clock

NAMED = "ostiary-%Y-%m-%dT%H%M%SZ.backup"
OURS = re.compile(r"ostiary-\d{4}-\d\d-\d\dT\d{6}Z\.backup")
TAKE = "take"


class Takes(click.Group):
    """A group whose first word may be missing: then a backup is taken."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`backup FILE` means `backup take FILE`."""
        first = next((word for word in args if word not in ctx.help_option_names), "" if args else TAKE)
        return super().parse_args(ctx, args if first in self.commands or not first else [TAKE, *args])


@click.group(cls=Takes)
def backup() -> None:
    """Take a backup: ./ostiary backup [FILE|DIR]; show one, or rehearse a restore.

    \b
    ./ostiary backup DIR             take one, named by the time
    ./ostiary backup take --help     says more: encryption, keeping the last few
    """  # noqa: D301 - click's mark for lines that stay as they are


@backup.command(TAKE)
@click.argument("target", type=click.Path(path_type=Path), default=".", metavar="[FILE|DIR]")
@asked
@asking.sealed
@click.option("--keep", type=click.IntRange(min=1), help="In a DIR: remove all but the last so many.")
def take_backup(where: Asked, target: Path, keep: int | None, taking: Taking) -> None:
    """Write everything that is in the database into one file, while the services run.

    In a folder the file is named by the time. It is readable by you alone and there whole or not at all. Secret keys
    and settings are not in the database: keep them in another safe place.
    """
    if keep and not target.is_dir():
        raise Refusal("--keep is for a folder; name one in place of a file.")
    file = target / clock.now().strftime(NAMED) if target.is_dir() else target
    with told(), asking.at(where) as url, asking.shown() as progress:
        asking.remind(url)
        asking.warn(url)
        made = take(url, file, replace(taking, progress=progress))
    removed = _tidied(file, made, keep) if keep else []
    value = {"file": str(file), **made.to_json(), "removed": [str(path) for path in removed]}
    where.answer(value, lambda: _print(file, made, removed))


@backup.command()
@click.argument("file", type=asking.EXISTING)
@asked
def show(where: Asked, file: Path) -> None:
    """Print what a backup says about itself; no key is needed."""
    with told():
        manifest = read(file).manifest

    def words() -> None:
        plan.describe(manifest, str(file))
        show_table(("Table", "Rows"), [(name, f"{count:,}") for name, count in manifest.counts.items()])

    where.answer(manifest.to_json(), words)


@backup.command("drill")
@click.argument("file", type=asking.EXISTING)
@asked
@asking.opened
def drill_backup(where: Asked, file: Path, opening: Restoring) -> None:
    """Rehearse a restore in a scratch database on the same server, check what comes out, and drop it.

    Nothing in use is touched. The database user must be allowed to create databases.
    """
    with told(), asking.at(where) as url, asking.shown() as progress:
        asking.remind(url)
        done = drill(url, file, replace(opening, progress=progress))
    value = {
        "fine": done.fine,
        "seconds": round(done.restored.seconds, 3),
        "revision": done.restored.revision,
        "checks": [{"check": check.name, "trouble": check.trouble} for check in done.checks],
        "backup": done.restored.manifest.to_json(),
    }
    where.answer(value, lambda: _print_drill(file, done))
    if not done.fine:
        sys.exit(FINDING)


def _print(file: Path, made: Manifest, removed: list[Path]) -> None:
    click.echo(f"Backed up {made.rows:,} rows of {len(made.counts)} tables into {file} ({made.size:,} bytes).")
    if not made.encrypted:
        click.echo("It is not encrypted, and holds addresses and password hashes: treat it so, or use --encrypt-for.")
    for path in removed:
        click.echo(f"Removed {path}.")


def _print_drill(file: Path, done: Drilled) -> None:
    plan.describe(done.restored.manifest, str(file))
    for check in done.checks:
        click.echo(f"{'✗' if check.trouble else '✓'} {check.name}{': ' + check.trouble if check.trouble else ''}")
    click.echo(f"A real restore closes the doors for {done.restored.seconds:.1f} s. The scratch database is gone.")


def _tidied(newest: Path, made: Manifest, keep: int) -> list[Path]:
    """Remove the older backups of the same database that have our names, and nothing else.

    The one just made stays, even where a clock that was put back has given it an older name.
    """
    others = sorted((path for path in newest.parent.iterdir() if path != newest), reverse=True)
    ours = [path for path in others if OURS.fullmatch(path.name) and _same(path, made)]
    for path in ours[keep - 1 :]:
        path.unlink()
    return ours[keep - 1 :]


def _same(path: Path, made: Manifest) -> bool:
    try:
        return read(path).manifest.database == made.database
    except (Refusal, OSError):
        return False
