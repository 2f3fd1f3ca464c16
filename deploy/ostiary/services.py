"""`services`: services with credentials of their own at the command line, through the same flows as the console."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from uuid import UUID

import click

from ostiary import acting
from ostiary.options import Asked, asked, printable, show
from ostiary_admin.queries import services as query
from ostiary_admin.queries.services import ServiceRow
from ostiary_admin.tools import AdminWork
from ostiary_auth.flows import service_clients as flow
from ostiary_auth.flows.service_clients import Credentials
from ostiary_auth.tools import AuthWork
from ostiary_shared.errors import FieldError, Invalid, NotFound

LONGEST = 100  # characters of a name, as in the console


@click.group()
def services() -> None:
    """See services with credentials of their own, make and delete them, replace secrets, switch them off and on.

    A service asks with its client id and secret whose a token is, and gets tokens of its own: docs/tokens.md.
    """


@services.command("list")
@asked
def list_services(where: Asked) -> None:
    """List services, by name."""
    found = acting.as_admin(where, query.all_of_them)
    where.answer([asdict(one) for one in found], lambda: _print(found))


@services.command()
@asked
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="A word that its tokens may carry; may be given several times.")
def create(where: Asked, name: str, scopes: tuple[str, ...]) -> None:
    """Make a service known, and print its client id and its secret, the latter this once."""

    async def made(work: AuthWork) -> Credentials:
        if not 0 < len(name.strip()) <= LONGEST or not name.isprintable():
            raise Invalid(FieldError("name", f"Give the service a name of at most {LONGEST} characters, in one line."))
        return await flow.create(work, name.strip(), scopes)

    _hand_over(where, acting.as_auth(where, made))


@services.command("replace-secret")
@asked
@click.argument("client_id")
def replace_secret(where: Asked, client_id: str) -> None:
    """Make another secret, and print it this once; the old one is refused from now on."""
    _hand_over(where, _done(where, client_id, flow.replace_secret))


@services.command("switch-off")
@asked
@click.argument("client_id")
def switch_off(where: Asked, client_id: str) -> None:
    """Refuse a service and its tokens from its next request on."""
    _switch(where, client_id, on=False)


@services.command("switch-on")
@asked
@click.argument("client_id")
def switch_on(where: Asked, client_id: str) -> None:
    """Let a service in again, with the secret that it had."""
    _switch(where, client_id, on=True)


@services.command()
@asked
@click.argument("client_id")
def delete(where: Asked, client_id: str) -> None:
    """Forget a service. To keep it for later, switch it off."""
    _done(where, client_id, flow.delete)
    where.answer({"client_id": client_id, "deleted": True}, lambda: click.echo(f"The service {client_id} is gone."))


def _done(where: Asked, client_id: str, act: Callable[[AuthWork, UUID], Awaitable[acting.Result]]) -> acting.Result:
    """What a flow of auth gives for the service of this client id."""

    async def known(work: AuthWork) -> acting.Result:
        return await act(work, await _id_of(acting.on_behalf_of_admin(work), client_id))

    return acting.as_auth(where, known)


def _switch(where: Asked, client_id: str, *, on: bool) -> None:
    from ostiary_admin.flows import services as switching  # noqa: PLC0415 - the other commands start sooner without it

    async def switched(work: AdminWork) -> bool:
        return await switching.switch(work, await _id_of(work, client_id), on=on)

    changed, word = acting.as_admin(where, switched), "on" if on else "off"
    said = f"{client_id} is switched {word}." if changed else f"{client_id} was {word} already."
    where.answer({"client_id": client_id, "changed": changed}, lambda: click.echo(said))


async def _id_of(work: AdminWork, client_id: str) -> UUID:
    """The id behind a client id; raises NotFound, naming those that there are."""
    found = {one.client_id: one.id for one in await query.all_of_them(work)}
    if client_id not in found:
        others = f"; there are {', '.join(sorted(found))}" if found else ", nor any other"
        raise NotFound(f"There is no service {client_id}{others}.")
    return found[client_id]


def _hand_over(where: Asked, made: Credentials) -> None:
    where.answer(asdict(made), lambda: _print_secret(made))


def _print_secret(made: Credentials) -> None:
    click.echo(printable(f"{made.name}: the secret is shown this once."))
    click.echo(f"client id  {made.client_id}")
    click.echo(f"secret     {made.secret}")


def _print(found: list[ServiceRow]) -> None:
    if not found:
        click.echo("No service.")
        return
    show(("client id", "name", "state", "scopes", "last used"), (_row(one) for one in found))


def _row(one: ServiceRow) -> tuple[str, ...]:
    used = f"{one.last_used_at:%Y-%m-%d %H:%M}" if one.last_used_at else "never"
    return one.client_id, one.name, "off" if one.disabled_at else "on", " ".join(one.scopes) or "-", used
