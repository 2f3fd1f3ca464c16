"""What the commands about backups have in common: the place they work on, secrets from files, and progress bars."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ostiary import database, postgres
from ostiary import home as folder
from ostiary.backups import place, scratching
from ostiary.backups.terms import Restoring, Taking
from ostiary.faults import Refusal
from ostiary.options import Asked, Command

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@contextlib.contextmanager
def at(where: Asked, *, new: bool = False) -> Iterator[str]:
    """The URL to work with: the one that was named, or the embedded server's superuser. A `new` folder may be made."""
    if where.database_url:
        yield where.database_url
    elif new and not (where.home / "postgres").exists():
        home = folder.opened(where.home)
        with folder.held(home, folder.COMMAND), postgres.started(home) as start:
            cluster = postgres.wait(start)
            database.prepare(cluster)
            yield cluster.url("postgres", database.NAME)
    else:
        with database.at_hand(where.home) as cluster:
            yield cluster.url("postgres", database.NAME)


def remind(url: str) -> None:
    """Say what commands that were killed have left on the server. It goes to where errors go, as progress does."""
    if said := scratching.left_over(url):
        click.echo(said, err=True)


def warn(url: str) -> None:
    """Say what a backup takes along and cannot be restored beside."""
    if names := asyncio.run(place.functions_of_others(url)):
        click.echo(
            f"Not Ostiary's, but in the backup, since they are functions in the schema public: {', '.join(names)}. A "
            "restore refuses where they are: move them to another schema, or drop them before it.",
            err=True,
        )


def secret_in(path: Path | None) -> str:
    """The passphrase in a file; its last line break is no part of it."""
    if path is None:
        return ""
    written = path.read_text().rstrip("\r\n")
    if not written:
        raise Refusal(f"{path} is empty; write the passphrase into it.")
    return written


@contextlib.contextmanager
def shown() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on a terminal; nothing elsewhere. It goes to where errors go, so that output can be piped."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("", total=1.0)
        yield lambda what, part: bars.update(bar, description=what, completed=part)


def sealed(command: Command) -> Command:
    """Give a command the options of a backup that is taken, as its argument `taking`."""

    @wraps(command)
    def bundled(*args: Any, recipients: tuple[str, ...], passphrase: Path | None, force: bool, **rest: Any) -> Any:
        return command(*args, taking=Taking(recipients, secret_in(passphrase), force), **rest)

    for option in (
        click.option("--force", is_flag=True, help="Replace a FILE that is there."),
        click.option("--passphrase-file", "passphrase", type=EXISTING, help="Encrypt with the passphrase in a file."),
        click.option(
            "--encrypt-for",
            "recipients",
            multiple=True,
            metavar="RECIPIENT",
            help="Encrypt for age1…, ssh-ed25519 …, or those in a file; more than once for several.",
        ),
    ):
        bundled = option(bundled)
    return bundled


def opened(command: Command) -> Command:
    """Give a command the options that open an encrypted backup, as its argument `opening`."""

    @wraps(command)
    def bundled(*args: Any, identities: tuple[Path, ...], passphrase: Path | None, **rest: Any) -> Any:
        words = tuple(path.read_text() for path in identities)
        return command(*args, opening=Restoring(words, secret_in(passphrase)), **rest)

    for option in (
        click.option("--passphrase-file", "passphrase", type=EXISTING, help="Open it with the passphrase in a file."),
        click.option("--identity", "identities", multiple=True, type=EXISTING, help="Open it with the key in a file."),
    ):
        bundled = option(bundled)
    return bundled
