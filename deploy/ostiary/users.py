"""`users`: people at the command line, through the same queries and flows as the console."""

import sys
from dataclasses import fields

import click

from ostiary import acting
from ostiary.faults import FINDING
from ostiary.options import Asked, asked, show
from ostiary.users_acts import grant, known_role, lock, revoke, unlock
from ostiary.users_create import create
from ostiary_admin.queries import people as query
from ostiary_admin.queries.keyset import Place
from ostiary_admin.queries.people import PersonRow
from ostiary_admin.tools import AdminWork

STATES = ("active", "locked", "deleted", "unconfirmed", "any")


@click.group()
def users() -> None:
    """See, create, lock and unlock people; give and take roles."""


@users.command("list")
@asked
@click.option("--search", default="", metavar="TEXT", help="Part of the name or address.")
@click.option("--role", default="", help="Only who holds this role.")
@click.option("--state", type=click.Choice(STATES), help="Only people in this state.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="At most so many.")
def list_people(where: Asked, search: str, role: str, state: str | None, limit: int) -> None:
    """List people, by address."""
    unconfirmed = state == "unconfirmed"
    wanted = query.Filter(search, role, "" if unconfirmed else state or "", "no" if unconfirmed else "")
    found = acting.as_admin(where, lambda work: _people(work, wanted, limit))
    where.answer([_as_json(person) for person in found], lambda: _print(found, limit))


@users.command("claim-link")
@asked
def claim_link(where: Asked) -> None:
    """Make a link for the first administrator; earlier links stop working.

    Beside the data of ./ostiary up it needs nothing. On another database it reads the settings of auth from the
    environment, the same as ./ostiary serve auth does: the link starts with OSTIARY_PUBLIC_URL.
    """
    from ostiary_auth.flows import claim  # noqa: PLC0415 - the other commands start sooner without it

    link = acting.as_auth(where, claim.make_claim_link)
    said = link or "Somebody can administer already: ask them for the role admin."
    where.answer({"claim_link": link}, lambda: click.echo(said))
    sys.exit(0 if link else FINDING)


for command in (create, lock, unlock, grant, revoke):
    users.add_command(command)


async def _people(work: AdminWork, wanted: query.Filter, limit: int) -> list[PersonRow]:
    if wanted.role:
        await known_role(work, wanted.role)
    found: list[PersonRow] = []
    place = Place()
    while len(found) < limit:
        page = await query.page(work, wanted, "email", place)
        found += page.items
        if page.next is None:
            break
        place = Place(after=page.next)
    return found[:limit]


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
