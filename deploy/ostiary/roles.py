"""`roles`: roles at the command line, through the same queries and flows as the console."""

import click

from ostiary import acting
from ostiary.options import Asked, asked, show
from ostiary.telling import told
from ostiary_admin.flows import roles as flow
from ostiary_admin.queries import roles as query
from ostiary_admin.queries.roles import RoleRow
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.permissions import Permission


@click.group()
def roles() -> None:
    """See, create and delete roles."""


@roles.command("list")
@asked
def list_roles(where: Asked) -> None:
    """List roles, what they permit, and how many people hold them."""
    found = acting.as_admin(where, query.all_of_them)
    where.answer([_as_json(role) for role in found], lambda: _print(found))


@roles.command()
@asked
@click.argument("name")
@click.option("--description", default="", help="What the role is for.")
@click.option("--permission", "permissions", multiple=True, help="What it permits; may be given several times.")
def create(where: Asked, name: str, description: str, permissions: tuple[str, ...]) -> None:
    """Create a role. Without permissions it still opens the sites whose rules ask for it."""
    with told():
        wanted = flow.Definition(name, description, _known(permissions))
    acting.as_admin(where, lambda work: flow.create(work, wanted))
    where.answer({"name": name, "permissions": sorted(permissions)}, lambda: click.echo(f"There is a role {name} now."))


@roles.command()
@asked
@click.argument("name")
def delete(where: Asked, name: str) -> None:
    """Delete a role that nobody holds."""
    _, receipt = acting.as_admin_settled(where, lambda work: flow.delete(work, name))
    said = f"The role {name} is gone."
    answer = {"name": name, "deleted": True, "receipt": receipt and receipt.to_json()}
    where.answer(answer, lambda: click.echo(f"{said} {receipt.words()}" if receipt else said))


def _known(permissions: tuple[str, ...]) -> frozenset[str]:
    unknown = sorted(set(permissions) - {str(known) for known in Permission})
    if unknown:
        known = ", ".join(Permission)
        raise Invalid(FieldError("permission", f"there is no permission {unknown[0]}; there are {known}."))
    return frozenset(permissions)


def _as_json(role: RoleRow) -> dict[str, object]:
    return {
        "name": role.name,
        "description": role.description,
        "permissions": sorted(role.permissions),
        "people": role.people,
    }


def _print(found: list[RoleRow]) -> None:
    show(("role", "people", "permits", "for"), (_row(role) for role in found))


def _row(role: RoleRow) -> tuple[str, ...]:
    permits = "everything" if len(role.permissions) == len(Permission) else " ".join(sorted(role.permissions))
    return role.name, str(role.people), permits or "-", role.description
