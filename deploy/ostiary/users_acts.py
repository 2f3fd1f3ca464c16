"""What is done to one person at the command line: lock, unlock, grant, revoke."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import click
from sqlalchemy import select

from ostiary import acting
from ostiary.options import Asked, asked
from ostiary_admin.flows import grants
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Role
from ostiary_shared.store import users as store

DAY = click.DateTime(["%Y-%m-%d"])
Act = Callable[[AdminWork, UUID], Awaitable[bool]]


@click.command()
@asked
@click.argument("email")
@click.option("--reason", required=True, help="Why; administrators see it.")
def lock(where: Asked, email: str, reason: str) -> None:
    """Refuse somebody from the next request on."""
    from ostiary_admin.flows import locks  # noqa: PLC0415 - the other commands start sooner without it

    _do(where, email, lambda work, user_id: locks.lock(work, user_id, reason), ("is locked", "was locked already"))


@click.command()
@asked
@click.argument("email")
@click.option("--reason", default="", help="Why; it goes into the audit log.")
def unlock(where: Asked, email: str, reason: str) -> None:
    """Let somebody in again."""
    from ostiary_admin.flows import locks  # noqa: PLC0415 - the same

    _do(where, email, lambda work, user_id: locks.unlock(work, user_id, reason), ("may sign in", "was not locked"))


@click.command()
@asked
@click.argument("email")
@click.argument("role")
@click.option("--reason", default="given at the command line", help="Why; it goes into the audit log.")
@click.option("--until", type=DAY, metavar="YYYY-MM-DD", help="The last day, in UTC; without it for good.")
def grant(where: Asked, email: str, role: str, reason: str, until: datetime | None) -> None:
    """Give somebody a role."""
    end = until.replace(tzinfo=UTC) + timedelta(days=1) if until else None

    async def give(work: AdminWork, user_id: UUID) -> bool:
        await known_role(work, role)
        return await grants.give(work, grants.Gift(user_id, role, reason, end))

    _do(where, email, give, (f"holds {role} now", f"held {role} already"))


@click.command()
@asked
@click.argument("email")
@click.argument("role")
@click.option("--reason", default="taken at the command line", help="Why; it goes into the audit log.")
def revoke(where: Asked, email: str, role: str, reason: str) -> None:
    """Take a role away."""

    async def take(work: AdminWork, user_id: UUID) -> bool:
        await known_role(work, role)
        return await grants.revoke(work, user_id, role, reason)

    _do(where, email, take, (f"does not hold {role} any more", f"did not hold {role}"))


async def known_role(work: AdminWork, name: str) -> None:
    """Raise NotFound, naming the roles there are, when there is none of this name."""
    names = list(await work.session.scalars(select(Role.name).order_by(Role.name)))
    if name not in names:
        raise NotFound(f"There is no role {name}; there are {', '.join(names)}.")


def _do(where: Asked, email: str, act: Act, words: tuple[str, str]) -> None:
    """Do it to the person of this address, and say what is so now: (done, was so before)."""

    async def flow(work: AdminWork) -> bool:
        user = await store.find(work.session, email)
        if user is None:
            raise NotFound(f"Nobody has the address {email}.")
        return await act(work, user.id)

    changed, receipt = acting.as_admin_settled(where, flow)
    said = f"{email} {words[0] if changed else words[1]}."
    answer = {"email": email, "changed": changed, "receipt": receipt and receipt.to_json()}
    where.answer(answer, lambda: click.echo(f"{said} {receipt.words()}" if receipt else said))
