"""`keys secret`: another secret key for a service, step by step, so that nobody is signed out by it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from ostiary import acting, key_file
from ostiary.faults import Finding
from ostiary.key_file import MADE, Entry
from ostiary.options import Asked, asked, show
from ostiary.telling import told
from ostiary_auth.flows import secret_keys
from ostiary_auth.flows.secret_keys import Needs
from ostiary_shared import clock
from ostiary_shared.tokens import derive

ADD, PROMOTE, DROP = "add", "promote", "drop"
ROLL = "Restart every process that reads the file, one after the other"
LOST = "codes of refusals and marks of known devices that were made with another are not recognised any more"
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@asked
@click.argument("file", type=FILE)
@click.option("--add", "step", flag_value=ADD, help="Put a new key into the file; it is accepted and makes nothing.")
@click.option("--promote", "step", flag_value=PROMOTE, help="Let the new key make, and accept the others still.")
@click.option("--drop", "step", flag_value=DROP, help="Take the key that waits away, or else all but the first.")
@click.option(
    "--anyway", is_flag=True, help="Do not look first who needs the old keys still, nor whether a key is new."
)
def secret(where: Asked, file: Path, step: str | None, anyway: bool) -> None:  # noqa: FBT001 - an option of click
    """Replace the secret key of a service, kept in FILE, without signing anybody out.

    Three steps, and after each the processes that read FILE are restarted, one after the other: --add, --promote, and
    after some weeks --drop. Without a step it says what the file holds and what comes next. Before --promote and --drop
    it looks in the database whether all processes know the new key, and whether anything needs the old one still.
    """
    with told():
        before = key_file.read(file)
        after = before if step is None else _stepped(where, file, before, step, anyway=anyway)
        if after != before:
            key_file.write(file, after)
    where.answer([_as_json(after, entry) for entry in after], lambda: _tell(file, after, step))


def _stepped(where: Asked, file: Path, before: tuple[Entry, ...], step: str, *, anyway: bool) -> tuple[Entry, ...]:
    if step == ADD:
        return key_file.add(before, clock.now())
    if step == PROMOTE:
        after = key_file.promote(before, clock.now(), anyway=anyway)
        if not anyway:
            _all_know(_needs(where, file, before))
        return after
    if len(before) == 1:
        raise Finding("there is one key only; begin with --add.")
    waiting = key_file.waiting(before)
    if waiting is not None:  # nothing was made with it yet
        return tuple(entry for entry in before if entry != waiting)
    if not anyway:
        _nobody_needs(_needs(where, file, before))
    return before[:1]


def _needs(where: Asked, file: Path, entries: tuple[Entry, ...]) -> Needs:
    since = datetime.fromtimestamp(key_file.since(entries, file), UTC)
    seal = derive(tuple(entry.key for entry in entries), "signing")
    with where.database() as url:
        return asyncio.run(acting.act(url, None, lambda work: secret_keys.needs(work, seal, since)))


def _all_know(needs: Needs) -> None:
    """Raises Finding while a process of auth may not know the newest key."""
    if needs.ours and needs.stale:
        names = ", ".join(needs.stale)
        raise Finding(
            f"{names} started before the last change of the file and cannot know it; restart "
            "every process of auth and every courier first, or say --anyway."
        )


def _nobody_needs(needs: Needs) -> None:
    """Raises Finding while something would be lost with the older keys."""
    _all_know(needs)
    if needs.ours and needs.sealed:
        raise Finding(
            "a signing key is sealed with an older key; restart auth or a courier, which seals it anew "
            "(./ostiary keys list shows it), or say --anyway."
        )
    if needs.ours and (needs.sessions or needs.api_tokens):
        last = f", the last until {needs.until:%Y-%m-%d}" if needs.until else ""
        raise Finding(
            f"{needs.sessions:,} sessions and {needs.api_tokens:,} API tokens were made with an older key, or may have "
            f"been, and are good still{last}; come back then, or end them with --anyway."
        )


def _tell(file: Path, entries: tuple[Entry, ...], step: str | None) -> None:
    show(("key", "what it does"), ((entry.mark, _words(entries, entry)) for entry in entries))
    command = f"./ostiary keys secret {file}"
    if key_file.waiting(entries):
        click.echo(f"{ROLL}; then: {command} --promote")
    elif len(entries) > 1:
        click.echo(f"{ROLL}, if you have not yet. When nothing needs the older keys any more: {command} --drop")
    elif step == DROP:
        click.echo(f"{ROLL}. From then on only this key counts: {LOST}.")
    else:
        click.echo(f"{ROLL}, if the file has just changed. For a new key: {command} --add")


def _words(entries: tuple[Entry, ...], entry: Entry) -> str:
    if entry == entries[0]:
        return "makes, and is accepted"
    if entry == key_file.waiting(entries):
        return "is accepted, and waits to come first"
    return f"is accepted; it made until {entry.when:%Y-%m-%d %H:%M} UTC" if entry.when else "is accepted"


def _as_json(entries: tuple[Entry, ...], entry: Entry) -> dict[str, object]:
    return {
        "key": entry.mark,
        "makes": entry == entries[0],
        "waits": entry == key_file.waiting(entries),
        "made_until": entry.when.isoformat() if entry.when and entry.note == MADE else None,
    }
