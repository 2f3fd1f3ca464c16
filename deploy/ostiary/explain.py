"""`explain`: the steps of a decision, as the Denials page shows them, for a person and an address or for a code."""

import re
import sys
from collections.abc import Awaitable, Callable

import click

from ostiary import acting, explain_doors
from ostiary.faults import FINDING, Refusal
from ostiary.options import Asked, asked, printable
from ostiary_auth.flows import explain as flow
from ostiary_auth.flows.explain import Explained
from ostiary_auth.tools import AuthWork
from ostiary_shared.networks import Address, address_of

PERSON = re.compile(r".+@.+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-.+")


@click.command()
@asked
@click.argument("who_or_code", metavar="[USER|CODE]", required=False)
@click.argument("what", metavar="[URL|PERMISSION]", required=False)
@click.option("--who", "url", metavar="URL", help="List everybody who could open this address.")
@click.option("--method", default="GET", show_default=True, help="HTTP method of the request.")
@click.option("--from", "origin", metavar="ADDRESS", default="", help="IP address that the request comes from.")
def explain(where: Asked, who_or_code: str | None, what: str | None, **request: str) -> None:
    """Say why somebody may or may not enter.

    \b
    explain ann@example.org https://wiki.example.org/editor/   may she open this address?
    explain ann@example.org users:read                         does she hold this permission?
    explain ann@example.org                                    what could she open?
    explain --who https://wiki.example.org/editor/             who could open this address?
    explain AB12-CD34                                          what is behind the code on a refusal?

    Exit status 0 when the door opens (to her, or to anybody; for a person alone: any door), 1 when it stays shut
    (behind a code it always did), 2 for wrong usage, or when there is nobody of that name or no such code.
    """  # noqa: D301 - click's mark for lines that stay as they are
    method, origin = request["method"].upper(), _origin(request["origin"])
    if request["url"]:
        if who_or_code:
            raise Refusal("--who asks about everybody: leave the person out.")
        opens = explain_doors.who(where, explain_doors.Wanted(request["url"], method, origin))
    elif who_or_code is None:
        raise Refusal("say whom it is about, or the code of a refusal, or ask --who.")
    elif what is None and PERSON.fullmatch(who_or_code):
        opens = explain_doors.doors_of(where, who_or_code)
    else:
        found = acting.as_auth(where, _question(who_or_code, what, (method, origin)))
        where.answer(_as_json(found), lambda: _print(found))
        opens = found.decision.allowed
    sys.exit(0 if opens else FINDING)


def _origin(typed: str) -> Address | None:
    found = address_of(typed)
    if typed and found is None:
        raise Refusal(f"{typed} is no IP address, such as 192.0.2.7.")
    return found


def _question(
    who_or_code: str, what: str | None, request: tuple[str, Address | None]
) -> Callable[[AuthWork], Awaitable[Explained]]:
    if what is None:
        return lambda work: flow.explain_code(work, who_or_code)
    if "://" in what or "/" in what:
        return lambda work: flow.explain_url(work, who_or_code, what, *request)
    return lambda work: flow.explain_permission(work, who_or_code, what)


def _print(found: Explained) -> None:
    click.echo(printable(f"{found.email or 'Somebody who was not signed in'}: {found.asked}"))
    if found.kept:
        times = f", {found.kept.count} times" if found.kept.count > 1 else ""
        click.echo(f"refused {found.kept.at}{times}, code {found.kept.code}")
    for line in flow.as_lines(found):
        click.echo(printable(line))


def _as_json(found: Explained) -> dict[str, object]:
    kept = {"code": found.kept.code, "at": found.kept.at, "count": found.kept.count} if found.kept else None
    told = {"email": found.email, "asked": found.asked, "kept": kept, "depends_on_address": found.depends_on_address}
    return {**told, **found.decision.to_json()}
