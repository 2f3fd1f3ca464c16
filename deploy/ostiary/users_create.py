"""`users create`: somebody invited by mail, or with a password read from standard input."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ostiary import acting
from ostiary.options import Asked, asked
from ostiary.users_acts import known_role

if TYPE_CHECKING:  # loaded by the command itself: those beside it start sooner without
    from ostiary_admin.flows import people
    from ostiary_admin.tools import AdminWork
    from ostiary_auth.tools import AuthWork


@dataclass(frozen=True)
class Newcomer:
    """Who is to be created, and with which password; without one they are invited to choose it."""

    wanted: "people.Wanted"
    password: str | None


@click.command()
@asked
@click.argument("email")
@click.option("--name", default="", help="The name people see.")
@click.option("--role", "roles", multiple=True, help="A role beside end-user; may be given several times.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input instead of inviting.")
def create(where: Asked, email: str, name: str, *, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Create somebody and send an invitation by mail."""
    from ostiary_admin.flows import people  # noqa: PLC0415 - see above

    wanted = people.Wanted(email, name, roles, "created at the command line", invite=not password_stdin)
    if password_stdin:
        newcomer = Newcomer(wanted, _read_password())
        identifier = acting.as_auth(where, lambda work: _create_with_password(work, newcomer))
    else:
        identifier = acting.as_admin(where, lambda work: _create(work, wanted))
    said = f"{email} is there and can sign in." if password_stdin else f"{email} is there; an invitation is on its way."
    where.answer({"id": identifier, "email": email, "invited": not password_stdin}, lambda: click.echo(said))


async def _create(work: "AdminWork", wanted: "people.Wanted") -> UUID:
    from ostiary_admin.flows import people  # noqa: PLC0415 - see above

    for role in wanted.roles:
        await known_role(work, role)
    return await people.create(work, wanted)


async def _create_with_password(work: "AuthWork", newcomer: Newcomer) -> UUID:
    from ostiary_admin.flows import people  # noqa: PLC0415 - see above
    from ostiary_auth.flows import new_password  # noqa: PLC0415
    from ostiary_shared.events import Event  # noqa: PLC0415
    from ostiary_shared.store import audit, passwords  # noqa: PLC0415

    password = newcomer.password or ""
    new_password.check(password, email=newcomer.wanted.email, name=newcomer.wanted.name)
    hashed = await work.tools.passwords.hash(password)  # before the first statement: nothing waits for it meanwhile
    as_admin = acting.on_behalf_of_admin(work)
    identifier = await _create(as_admin, newcomer.wanted)
    await people.confirm(as_admin, identifier)
    await passwords.put(work.session, identifier, hashed, work.now)
    await audit.record(work, Event.PASSWORD_SET, audit.Target(identifier, newcomer.wanted.email))
    return identifier


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
