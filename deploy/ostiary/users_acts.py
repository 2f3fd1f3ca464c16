"""What is done to one person at the command line: lock, unlock, grant, revoke."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import click

from ostiary import acting
from ostiary.options import Asked, asked
from ostiary_admin.flows import grants, locks
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.store import users as store

Act = Callable[[AdminWork, UUID], Awaitable[bool]]


@click.command()
@asked
@click.argument("email")
@click.option("--reason", required=True, help="Why; administrators see it.")
def lock(where: Asked, email: str, reason: str) -> None:
    """Refuse somebody from the next request on."""
    _do(where, email, lambda work, user_id: locks.lock(work, user_id, reason), ("is locked", "was locked already"))


@click.command()
@asked
@click.argument("email")
@click.option("--reason", default="", help="Why; it goes into the audit log.")
def unlock(where: Asked, email: str, reason: str) -> None:
    """Let somebody in again."""
    _do(where, email, lambda work, user_id: locks.unlock(work, user_id, reason), ("may sign in", "was not locked"))


@click.command()
@asked
@click.argument("email")
@click.argument("role")
@click.option("--reason", default="given at the command line", help="Why; it goes into the audit log.")
def grant(where: Asked, email: str, role: str, reason: str) -> None:
    """Give somebody a role."""

    def give(work: AdminWork, user_id: UUID) -> Awaitable[bool]:
        return grants.give(work, grants.Gift(user_id, role, reason))

    _do(where, email, give, (f"holds {role} now", f"held {role} already"))


@click.command()
@asked
@click.argument("email")
@click.argument("role")
@click.option("--reason", default="taken at the command line", help="Why; it goes into the audit log.")
def revoke(where: Asked, email: str, role: str, reason: str) -> None:
    """Take a role away."""

    def take(work: AdminWork, user_id: UUID) -> Awaitable[bool]:
        return grants.revoke(work, user_id, role, reason)

    _do(where, email, take, (f"does not hold {role} any more", f"did not hold {role}"))


def _do(where: Asked, email: str, act: Act, words: tuple[str, str]) -> None:
    """Do it to the person of this address, and say what is so now: (done, was so before)."""

    async def flow(work: AdminWork) -> bool:
        user = await store.find(work.session, email)
        if user is None:
            raise NotFound(f"Nobody has the address {email}.")
        return await act(work, user.id)

    changed = acting.as_admin(where, flow)
    said = f"{email} {words[0] if changed else words[1]}."
    where.answer({"email": email, "changed": changed}, lambda: click.echo(said))
