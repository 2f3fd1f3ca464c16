"""`upgrade`: says what an upgrade would do and tries it on a copy; does it, with a backup first; takes it back."""

import asyncio
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ostiary.backups import Taking, asking, take
from ostiary.faults import FINDING, Finding, Refusal
from ostiary.options import Asked, Command, asked
from ostiary.telling import told
from ostiary.upgrades import doing
from ostiary.upgrades.plan import Plan
from ostiary.upgrades.rehearsal import rehearse
from ostiary.upgrades.survey import Survey, look
from ostiary_shared import clock, migrations
from ostiary_shared.release import VERSION

NAMED = "ostiary-before-{}-%Y-%m-%dT%H%M%SZ.backup"
FOLDER = click.Path(exists=True, file_okay=False, writable=True, path_type=Path)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do, where the backup goes, and how far to go without asking."""

    check: bool
    undo: bool
    folder: Path | None
    bare: bool
    yes: bool


def wished(command: Command) -> Command:
    """Give a command these options as its argument `wish`."""

    @wraps(command)
    def bundled(*args: Any, **given: Any) -> Any:
        wish = Wish(*(given.pop(name) for name in ("check", "undo", "folder", "bare", "yes")))
        return command(*args, wish=wish, **given)

    for option in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--no-backup", "bare", is_flag=True, help="Go without a backup."),
        click.option("--backup-to", "folder", type=FOLDER, metavar="DIR", help="Where the backup goes."),
        click.option("--undo", is_flag=True, help="Go back one release, where that loses nothing."),
        click.option("--check", is_flag=True, help="Say what would be done, try it on a copy, and change nothing."),
    ):
        bundled = option(bundled)
    return bundled


@click.command()
@asked
@wished
@asking.sealed
def upgrade(where: Asked, wish: Wish, taking: Taking) -> None:
    """Bring the database to this release, while the services run.

    \b
    ./ostiary upgrade --check            says what would be done; exit status 1 if anything speaks against it
    ./ostiary upgrade --backup-to DIR    takes a backup and does it
    ./ostiary upgrade --undo             asks, and goes back one release

    Then replace the services one at a time. The rehearsal needs a database user who may create databases.
    """  # noqa: D301 - click's mark for lines that stay as they are
    _refuse_contradictions(where, wish)
    with told(), asking.at(where) as url:
        if wish.undo:
            _undo(where, url, wish)
            return
        state = migrations.state(url)
        if state.newer:
            raise Finding(
                f"the database is at revision {state.current}, which release {VERSION} does not know: use the release "
                "that upgraded it, or a later one."
            )
        survey = asyncio.run(look(url, state))
        if wish.check:
            _check(where, url, survey, wish)
        else:
            _forth(where, url, Plan(survey, folder=wish.folder), replace(taking, force=False), wish)


def _refuse_contradictions(where: Asked, wish: Wish) -> None:
    if wish.check and wish.undo:
        raise Refusal("--check and --undo contradict each other; say one of them.")
    if wish.undo and where.as_json and not wish.yes:
        raise Refusal("with --json nobody can be asked; say --yes, too.")
    if wish.bare and wish.folder:
        raise Refusal("--no-backup and --backup-to contradict each other; say one of them.")


def _check(where: Asked, url: str, survey: Survey, wish: Wish) -> None:
    asking.remind(url)
    rehearsal, untried = None, ""
    if survey.pending and survey.revision:
        try:
            with asking.shown() as progress:
                rehearsal = rehearse(url, progress)
        except (Refusal, migrations.UpgradeRefusedError) as error:
            untried = str(error)
    plan = Plan(survey, rehearsal, wish.folder or Path(tempfile.gettempdir()), untried)

    def words() -> None:
        plan.print()
        click.echo("Something speaks against it." if plan.against else "Nothing speaks against it.")

    where.answer(plan.to_json(), words)
    if plan.against:
        sys.exit(FINDING)


def _forth(where: Asked, url: str, plan: Plan, taking: Taking, wish: Wish) -> None:
    survey = plan.survey
    say = _silent if where.as_json else click.echo
    if not where.as_json:
        plan.print()
    if plan.against:
        raise Finding(f"nothing was changed. {' '.join(plan.against)}")
    if survey.pending and survey.revision and not (wish.folder or wish.bare):
        raise Refusal("say where the backup goes with --backup-to DIR, or --no-backup to go without one.")
    if survey.pending and not wish.yes and sys.stdin.isatty():
        click.confirm("Go on?", abort=True)
    file = None
    if survey.pending and survey.revision and wish.folder:
        file = wish.folder.resolve() / clock.now().strftime(NAMED.format(VERSION))
        with asking.shown() as progress:
            take(url, file, replace(taking, progress=progress))
        say(f"The backup is {file}.")
    head = doing.forth(url, survey.pending, file, say)
    value = {**plan.to_json(), "backup": str(file) if file else None, "revision": head}
    done = f"The database is at revision {head}. Now replace the services by those of {VERSION}, one at a time."
    where.answer(value, lambda: click.echo(done if survey.pending else "Nothing was changed."))


def _undo(where: Asked, url: str, wish: Wish) -> None:
    way = doing.way_back(url)
    if not wish.yes:
        click.echo(f"This takes back from the database, now at {way.now}:")
        for step in way.steps:
            click.echo(f"  {step.revision}: {step.title}")
        click.confirm("Go on?", abort=True)
    after = doing.back(url, way, _silent if where.as_json else click.echo)
    where.answer(
        {"from": way.now, "to": after}, lambda: click.echo(f"The database went back from {way.now} to {after}.")
    )


def _silent(_said: str) -> None:
    pass
