"""`users`: people at the command line, through the same queries and flows as the console."""

import sys
from dataclasses import dataclass, fields

import click

from ostiary import acting
from ostiary.faults import FINDING
from ostiary.options import Asked, asked, show
from ostiary.users_acts import grant, lock, revoke, unlock
from ostiary_admin.flows import people as flow
from ostiary_admin.queries import people as query
from ostiary_admin.queries.keyset import Place
from ostiary_admin.queries.people import PersonRow
from ostiary_admin.tools import AdminWork
from ostiary_auth.flows import claim, new_password
from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.store import audit, passwords

STATES = ("active", "locked", "deleted", "unconfirmed", "any")


@click.group()
def users() -> None:
    """See, create, lock and unlock people; give and take roles."""


@users.command("list")
@asked
@click.option("--search", default="", metavar="TEXT", help="Part of the name or address.")
@click.option("--role", default="", help="Only who holds this role.")
@click.option("--state", type=click.Choice(STATES), help="Only people in this state.")
@click.option("--limit", default=100, show_default=True, help="At most so many.")
def list_people(where: Asked, search: str, role: str, state: str | None, limit: int) -> None:
    """List people, by address."""
    unconfirmed = state == "unconfirmed"
    wanted = query.Filter(search, role, "" if unconfirmed else state or "", "no" if unconfirmed else "")
    found = acting.as_admin(where, lambda work: _people(work, wanted, limit))
    where.answer([_as_json(person) for person in found], lambda: _print(found, limit))


@dataclass(frozen=True)
class Newcomer:
    """Who is to be created, and with which password; without one they are invited to choose it."""

    wanted: flow.Wanted
    password: str | None


@users.command("create")
@asked
@click.argument("email")
@click.option("--name", default="", help="The name people see.")
@click.option("--role", "roles", multiple=True, help="A role beside end-user; may be given several times.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input instead of inviting.")
def create(where: Asked, email: str, name: str, *, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Create somebody and send an invitation by mail."""
    wanted = flow.Wanted(email, name, roles, "created at the command line", invite=not password_stdin)
    if password_stdin:
        newcomer = Newcomer(wanted, _read_password())
        identifier = acting.as_auth(where, lambda work: _create_with_password(work, newcomer))
    else:
        identifier = acting.as_admin(where, lambda work: flow.create(work, wanted))
    said = f"{email} is there and can sign in." if password_stdin else f"{email} is there; an invitation is on its way."
    where.answer({"id": identifier, "email": email, "invited": not password_stdin}, lambda: click.echo(said))


@users.command("claim-link")
@asked
def claim_link(where: Asked) -> None:
    """Make a link for the first administrator; earlier links stop working."""
    link = acting.as_auth(where, claim.make_claim_link)
    said = link or "Somebody can administer already: ask them for the role admin."
    where.answer({"claim_link": link}, lambda: click.echo(said))
    sys.exit(0 if link else FINDING)


for command in (lock, unlock, grant, revoke):
    users.add_command(command)


async def _people(work: AdminWork, wanted: query.Filter, limit: int) -> list[PersonRow]:
    found: list[PersonRow] = []
    place = Place()
    while len(found) < limit:
        page = await query.page(work, wanted, "email", place)
        found += page.items
        if page.next is None:
            break
        place = Place(after=page.next)
    return found[:limit]


async def _create_with_password(work: AuthWork, newcomer: Newcomer) -> object:
    password = newcomer.password or ""
    new_password.check(password, email=newcomer.wanted.email, name=newcomer.wanted.name)
    as_admin = acting.on_behalf_of_admin(work)
    identifier = await flow.create(as_admin, newcomer.wanted)
    await flow.confirm(as_admin, identifier)
    await passwords.put(work.session, identifier, await work.tools.passwords.hash(password), work.now)
    await audit.record(work, Event.PASSWORD_SET, audit.Target(identifier, newcomer.wanted.email))
    return identifier


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _as_json(person: PersonRow) -> dict[str, object]:
    return {field.name: getattr(person, field.name) for field in fields(person)}


def _print(found: list[PersonRow], limit: int) -> None:
    if not found:
        click.echo("Nobody.")
        return
    show(("address", "name", "roles", "state", "last seen"), (_row(person) for person in found))
    if len(found) == limit:
        click.echo(f"The first {limit}; --limit shows more, --search fewer.")


def _row(person: PersonRow) -> tuple[str, ...]:
    seen = f"{person.last_seen_at:%Y-%m-%d %H:%M}" if person.last_seen_at else "never"
    return person.email, person.name, " ".join(sorted(person.roles)), _state(person), seen


def _state(person: PersonRow) -> str:
    if person.deleted_at:
        return "deleted"
    if person.locked_at:
        return f"locked: {person.locked_reason}" if person.locked_reason else "locked"
    return "active" if person.confirmed_at else "unconfirmed"
