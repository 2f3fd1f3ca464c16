"""Options that several commands share: which database, and whether machines read the answer."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ostiary import home as folder

Command = Callable[..., Any]
COMMANDLINE = click.core.ParameterSource.COMMANDLINE
UNWRAPPED = 500


@dataclass(frozen=True)
class Asked:
    """Where to work and how to answer."""

    database_url: str | None
    home: Path
    as_json: bool

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of the database: the one that was named, or the embedded one, started if it does not run."""
        from ostiary import database  # noqa: PLC0415 - `--help` need not load the database's libraries

        if self.database_url:
            yield self.database_url
        else:
            with database.at_hand(self.home) as cluster:
                yield cluster.url(database.OWNER, database.NAME)

    def answer(self, value: Any, words: Callable[[], object]) -> None:
        """Print `value` for machines, or call `words` to print it for people."""
        if self.as_json:
            click.echo(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))
        else:
            words()


def show(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table: as wide as the terminal, and in a pipe as wide as it needs, one line a row."""
    table = Table(*headings, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = UNWRAPPED
    console.print(table)


def printable(text: str) -> str:
    """What strangers have typed, without anything that would command the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def asked(command: Command) -> Command:
    """Give a command the options --database-url, --data and --json, bundled as its first argument."""

    @wraps(command)
    def bundled(*args: Any, home: Path, as_json: bool, **rest: Any) -> Any:
        return command(Asked(_database_url(rest), home, as_json), *args, **rest)

    for option in (
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
        click.option(
            "--data",
            "home",
            type=click.Path(path_type=Path),
            default=folder.default,
            help="Data folder of ./ostiary up.",
        ),
        click.option(
            "--database-url", envvar="OSTIARY_DATABASE_URL", help="Another database [env: OSTIARY_DATABASE_URL]."
        ),
        click.option("--database-url-file", envvar="OSTIARY_DATABASE_URL_FILE", type=click.File(), hidden=True),
    ):
        bundled = option(bundled)
    return bundled


def _database_url(given: dict[str, Any]) -> str | None:
    """The database that was named; a folder named at the command line goes before one named by the environment."""
    url, file = given.pop("database_url"), given.pop("database_url_file")
    source = click.get_current_context().get_parameter_source
    if source("home") is COMMANDLINE and source("database_url") is not COMMANDLINE:
        return None
    return url or (file.read().strip() if file else None)
