"""`keys`: the keys under which Ostiary signs who somebody is, and a new one in place of each key that it has."""

from dataclasses import asdict
from datetime import datetime

import click

from ostiary import acting
from ostiary.keys_database import database
from ostiary.keys_secret import secret
from ostiary.options import Asked, asked, show
from ostiary_auth.flows import key_rotation
from ostiary_auth.flows.key_rotation import KeyState, Turn
from ostiary_shared.revocation import Receipt


@click.group()
def keys() -> None:
    """See and replace keys: those that sign, the services' secret keys, the passwords of the database."""


keys.add_command(secret)
keys.add_command(database)


@keys.command("list")
@asked
def list_keys(where: Asked) -> None:
    """List the keys that verifiers are shown, the newest first."""
    found = acting.as_auth(where, lambda work: key_rotation.shown(work, work.tools.signing_key))
    where.answer([_as_json(key) for key in found], lambda: _print(found))


@keys.command()
@asked
@click.option("--now", "at_once", is_flag=True, help="Sign with the new key at once, not in ten minutes.")
@click.option("--withdraw", is_flag=True, help="Take the old keys off the list at once: for one that may have got out.")
@click.option("--reason", default="replaced at the command line", help="Why; it goes into the audit log.")
def rotate(where: Asked, at_once: bool, withdraw: bool, reason: str) -> None:  # noqa: FBT001 - options of click
    """Make a new signing key.

    Verifiers are shown it from now on, and it signs in ten minutes, when all of them know it. The old one stays on the
    list until nothing that it signed can be met any more, so nobody fails. With --now the new key signs at once:
    verifiers that see a key they do not know fetch the list anew. With --withdraw the old keys are off the list at once
    and Ostiary itself believes them no more; verifiers that keep the list go on for up to five minutes.
    """
    turn = Turn(at_once, withdraw)
    signs_from, receipt = acting.as_auth_settled(
        where, lambda work: key_rotation.rotate(work, work.tools.signing_key, turn, reason)
    )
    told = {"signs_from": signs_from.isoformat(), "withdrawn": withdraw, "receipt": receipt and receipt.to_json()}
    where.answer(told, lambda: _tell(turn, signs_from, receipt))


def _tell(turn: Turn, signs_from: datetime, receipt: Receipt | None) -> None:
    at_once = turn.at_once or turn.withdraw
    click.echo("The new key signs from now on." if at_once else f"The new key signs from {signs_from:%H:%M} UTC on.")
    if turn.withdraw:
        click.echo("The old keys are off the list. Verifiers that keep it go on believing them for up to five minutes.")
    if receipt:
        click.echo(receipt.words())


def _as_json(key: KeyState) -> dict[str, object]:
    return {**asdict(key), "state": _state(key)} | {
        name: moment.isoformat() if moment else None
        for name, moment in (
            ("created_at", key.created_at),
            ("signs_from", key.signs_from),
            ("retired_at", key.retired_at),
        )
    }


def _print(found: list[KeyState]) -> None:
    show(
        ("key", "state", "signs from", "retired"),
        ((key.kid, _state(key), _moment(key.signs_from), _moment(key.retired_at)) for key in found),
    )


def _state(key: KeyState) -> str:
    if not key.opens:
        return "sealed with another secret"
    seal = ", sealed with an older key" if key.older else ""
    if key.signs:
        return "signs" + seal
    return ("retired, still shown" if key.retired_at else "waits") + seal


def _moment(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "-"
