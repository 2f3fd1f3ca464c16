"""`sessions`: the epoch that ends everything at once, for the hour after a restore, a failover or a leak."""

from dataclasses import asdict

import click

from ostiary import acting
from ostiary.faults import Refusal
from ostiary.options import Asked, asked
from ostiary_auth.flows import end_everything
from ostiary_auth.flows.end_everything import Alive
from ostiary_shared.revocation import Receipt

REASON = "ended at the command line"


@click.group()
def sessions() -> None:
    """End the sessions of everybody at once."""


@sessions.command("end-all")
@asked
@click.option("--reason", default=REASON, help="Why; it goes into the audit log.")
@click.option("--keep-api-tokens", is_flag=True, help="Let people's programs go on.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def end_all(where: Asked, reason: str, keep_api_tokens: bool, yes: bool) -> None:  # noqa: FBT001 - options of click
    """End all sessions, mailed links and API tokens of everybody; the signing key is replaced, too.

    For the hour after a restore or a failover, or when a secret got out. Everybody has to sign in again. It returns
    when no replica lets anybody in any more, and prints the receipt.

    Beside the data of ./ostiary up it needs nothing. On another database it reads the settings of auth from the
    environment, since the new key is sealed with OSTIARY_SECRET_KEY.
    """
    if not yes:
        if where.as_json:
            raise Refusal("with --json nobody can be asked; say --yes, too.")
        alive = acting.as_auth(where, end_everything.count)
        click.confirm(f"This ends {_words(alive, keep_api_tokens)}. Everybody has to sign in again. Go on?", abort=True)
        click.echo("Ending them …")
    ended, receipt = acting.as_auth_settled(
        where, lambda work: end_everything.end(work, reason, keep_api_tokens=keep_api_tokens)
    )
    told = {"ended": asdict(ended), "receipt": receipt.to_json() if receipt else None}
    where.answer(told, lambda: _print(ended, receipt, keep_api_tokens))


def _print(ended: Alive, receipt: Receipt | None, kept: bool) -> None:  # noqa: FBT001 - the option above
    click.echo(f"Ended {_words(ended, kept)}. A new key signs.")
    if receipt:
        click.echo(receipt.words())


def _words(many: Alive, kept: bool) -> str:  # noqa: FBT001 - the option above
    parts = [_count(many.sessions, "session"), _count(many.links, "mailed link")]
    if not kept:
        parts.insert(1, _count(many.api_tokens, "API token"))
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"
