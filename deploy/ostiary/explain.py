"""`explain`: the steps of a decision, as the Denials page shows them, for a person and an address or for a code."""

import re
import sys
from collections.abc import Awaitable, Callable

import click

from ostiary import acting
from ostiary.faults import FINDING, Refusal
from ostiary.options import Asked, asked, printable
from ostiary_auth.flows import explain as flow
from ostiary_auth.flows.explain import Explained
from ostiary_auth.tools import AuthWork

PERSON = re.compile(r".+@.+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-.+")


@click.command()
@asked
@click.argument("who_or_code", metavar="USER|CODE")
@click.argument("what", metavar="[URL|PERMISSION]", required=False)
@click.option("--method", default="GET", show_default=True, help="HTTP method of the request.")
def explain(where: Asked, who_or_code: str, what: str | None, method: str) -> None:
    """Say why somebody may or may not enter.

    \b
    explain ann@example.org https://wiki.example.org/editor/   may she open this address?
    explain ann@example.org users:read                         does she hold this permission?
    explain AB12-CD34                                          what is behind the code on a refusal?

    Exit status 0 when the door opens, 1 when it stays shut (behind a code it always did), 2 for wrong usage, or when
    there is nobody of that name or no such code.
    """  # noqa: D301 - click's mark for lines that stay as they are
    if not what and PERSON.fullmatch(who_or_code):
        raise Refusal("say what it is about, too: an address such as http://site/ or a permission.")
    found = acting.as_auth(where, _question(who_or_code, what, method))
    where.answer(_as_json(found), lambda: _print(found))
    sys.exit(0 if found.decision.allowed else FINDING)


def _question(who_or_code: str, what: str | None, method: str) -> Callable[[AuthWork], Awaitable[Explained]]:
    if what is None:
        return lambda work: flow.explain_code(work, who_or_code)
    if "://" in what or "/" in what:
        return lambda work: flow.explain_url(work, who_or_code, what, method.upper())
    return lambda work: flow.explain_permission(work, who_or_code, what)


def _print(found: Explained) -> None:
    click.echo(printable(f"{found.email or 'Somebody who was not signed in'}: {found.asked}"))
    if found.kept:
        times = f", {found.kept.count} times" if found.kept.count > 1 else ""
        click.echo(f"refused {found.kept.at}{times}, code {found.kept.code}")
    for line in flow.as_lines(found.decision):
        click.echo(printable(line))


def _as_json(found: Explained) -> dict[str, object]:
    kept = {"code": found.kept.code, "at": found.kept.at, "count": found.kept.count} if found.kept else None
    return {"email": found.email, "asked": found.asked, "kept": kept, **found.decision.to_json()}
