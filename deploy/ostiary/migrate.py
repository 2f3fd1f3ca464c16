"""`migrate`: makes the database roles when it may, then upgrades the schema, one process at a time."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import asyncpg
import click
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ostiary import database
from ostiary.faults import Refusal
from ostiary.options import Asked, asked
from ostiary.telling import told
from ostiary_shared import migrations, scram
from ostiary_shared.database import DIALECT, connect, is_away

SECRET_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CONNECT_SECONDS = 3.0
MAY_CREATE_ROLES = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"


@click.command()
@asked
@click.option(
    "--owner-password-file", "owner", type=SECRET_FILE, envvar="OSTIARY_OWNER_PASSWORD_FILE", help="For ostiary_owner."
)
@click.option(
    "--auth-password-file", "auth", type=SECRET_FILE, envvar="OSTIARY_AUTH_PASSWORD_FILE", help="For ostiary_auth."
)
@click.option(
    "--admin-password-file", "admin", type=SECRET_FILE, envvar="OSTIARY_ADMIN_PASSWORD_FILE", help="For ostiary_admin."
)
@click.option("--wait", default=0, metavar="SECONDS", type=click.IntRange(min=0), help="Wait so long for the database.")
def migrate(where: Asked, wait: int, **files: Path | None) -> None:
    """Bring the database up to date.

    With the URL of a user who may create roles it also makes the roles ostiary_owner, ostiary_auth and ostiary_admin,
    with the passwords in the named files. All tables belong to ostiary_owner, whoever runs it. It may run as often as
    you like, and on several machines at once.
    """
    passwords = {f"ostiary_{name}": _password_in(path) for name, path in files.items() if path}
    with told(), where.database() as url:
        if wait:
            asyncio.run(_answering(url, wait))
        before, after = migrated(url, passwords)
    steps = f"went from {before or 'empty'} to {after}" if before != after else f"is at {after} already"
    where.answer({"from": before, "to": after}, lambda: click.echo(f"The database {steps}."))


def migrated(url: str, passwords: Mapping[str, str]) -> tuple[str | None, str]:
    """Upgrade the database at `url`; the revisions before and after. With its password it is done as ostiary_owner."""
    if asyncio.run(_may_create_roles(url)):
        migrations.create_roles(url, passwords)
        url = asyncio.run(_as_owner(url, passwords.get(database.OWNER, "")))
    before = migrations.state(url).current
    return before, database.upgrade(url)


def _password_in(path: Path) -> str:
    password = path.read_text().rstrip("\r\n")
    if objection := scram.objection_to(password):
        raise Refusal(f"the password in {path} {objection}; put another one there.")
    return password


async def _as_owner(url: str, password: str) -> str:
    """The same database as its owner, when the server lets it in from here; else the URL as it is.

    A superuser's SET ROLE is undone by any function or trigger that the owner, or who got at it, left in the database:
    so whoever has a superuser's rights does not stay for the upgrade.
    """
    if not password:
        return url
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"user", "password", "passfile"}]
    hosts = parts.netloc.rpartition("@")[2]
    login = f"{database.OWNER}:{quote(password, safe='')}@{hosts}"
    owner = parts._replace(netloc=login, query=urlencode(query)).geturl()
    try:
        await (await connect(owner, timeout=CONNECT_SECONDS)).close()
    except asyncpg.InvalidAuthorizationSpecificationError:  # such as a socket where only root's own name counts
        return url
    return owner


async def _answering(url: str, seconds: int) -> None:
    """Return when the database lets us in. What is away is waited for; a wrong password or name is not."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection = await connect(url, timeout=CONNECT_SECONDS)
        except Exception as error:
            if not is_away(error) or time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
        else:
            await connection.close()
            return


async def _may_create_roles(url: str) -> bool:
    engine = create_async_engine(DIALECT, poolclass=NullPool, async_creator=partial(connect, url))
    try:
        async with engine.connect() as connection:
            return bool(await connection.scalar(text(MAY_CREATE_ROLES)))
    finally:
        await engine.dispose()
