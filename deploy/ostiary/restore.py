"""`restore`: shows what it would do, asks, and does it whole or not at all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ostiary.backups import asking, place
from ostiary.backups import restore as bring_back
from ostiary.backups.plan import Plan
from ostiary.backups.restoring import Examined, examined
from ostiary.backups.terms import Restored, Restoring
from ostiary.faults import Refusal
from ostiary.options import Asked, Command, asked
from ostiary.telling import told
from ostiary_shared.migrations import chain


@dataclass(frozen=True, slots=True)
class Wish:
    """Where to, and how far to go without asking."""

    into: str | None
    only_plan: bool
    yes: bool


def wished(command: Command) -> Command:
    """Give a command these three options as its argument `wish`."""

    @wraps(command)
    def bundled(*args: Any, into: str | None, only_plan: bool, yes: bool, **rest: Any) -> Any:
        return command(*args, wish=Wish(into, only_plan, yes), **rest)

    for option in (
        click.option("--into", metavar="DATABASE_URL", help="Another database than the usual one; may be empty."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing."),
    ):
        bundled = option(bundled)
    return bundled


@click.command()
@click.argument("file", type=asking.EXISTING)
@asked
@wished
@asking.opened
@click.option("--keep-api-tokens", is_flag=True, help="Let people's programs go on, unless revoked since.")
def restore(where: Asked, file: Path, wish: Wish, opening: Restoring, keep_api_tokens: bool) -> None:  # noqa: FBT001
    """Replace what is in the database by a backup, after showing what that means.

    Everybody has to sign in again: nothing that anybody carried before, in the backup or since, is worth anything when
    the command has returned. All of it is one transaction, so services may run: they answer 503 while it lasts. An
    older backup is upgraded, a newer one refused.
    """
    if where.as_json and not (wish.yes or wish.only_plan):
        raise Refusal("with --json nobody can be asked; say --yes or --plan, too.")
    options = replace(opening, keep_api_tokens=keep_api_tokens)
    with _at(where, wish) as url:
        with asking.shown() as progress:
            found = examined(file, replace(options, progress=progress))
        plan = _plan(url, found, options)
        if wish.only_plan or not where.as_json:
            where.answer(plan.to_json(), lambda: plan.print(str(file)))
        if wish.only_plan:
            return
        if not wish.yes:
            click.confirm("\nGo on?", abort=True)
        with asking.shown() as progress:
            done = bring_back(url, file, replace(options, progress=progress))
    where.answer(_as_json(done), lambda: _print(done))


@contextmanager
def _at(where: Asked, wish: Wish) -> Iterator[str]:
    with told(), asking.at(replace(where, database_url=wish.into or where.database_url), new=not wish.only_plan) as url:
        yield url


def _plan(url: str, found: Examined, options: Restoring) -> Plan:
    with told():
        here = asyncio.run(place.look(url, found.manifest.taken_at))
    return Plan(found.manifest, here, chain.steps()[-1].revision, options.keep_api_tokens)


def _as_json(done: Restored) -> dict[str, Any]:
    return {
        "backup": done.manifest.to_json(),
        "revision": done.revision,
        "seconds": round(done.seconds, 3),
        "ended": done.ended,
        "dropped_mails": done.dropped_mails,
        "receipt": done.receipt.to_json() if done.receipt else None,
    }


def _print(done: Restored) -> None:
    backup, ended = done.manifest, done.ended
    click.echo(
        f"Restored {backup.rows:,} rows of {len(backup.counts)} tables as of {backup.taken_at:%Y-%m-%d %H:%M} UTC in "
        f"{done.seconds:.1f} s; every table has as many as in the backup. The schema is at {done.revision}."
    )
    click.echo(
        f"Ended in it: sessions {ended['sessions']:,}, API tokens {ended['api_tokens']:,}, mailed links "
        f"{ended['links']:,}, and every signing key. Mails dropped unsent: {done.dropped_mails:,}."
    )
    if done.receipt:
        click.echo(done.receipt.words())
