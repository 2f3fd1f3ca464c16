"""A scratch database beside another one: made empty, dropped at the end whatever happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import asyncpg

from ostiary.backups.stand_in import ALONE
from ostiary.faults import Refusal
from ostiary.telling import told
from ostiary_shared import migrations, tokens
from ostiary_shared.database import connect

# A name in PostgreSQL has 63 bytes.
LONGEST = 40
CODE = 4
# As the embedded server has it; the tables name the collations they need themselves.
MAKE = """
    CREATE DATABASE "{}" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'
"""
PURPOSES = ("drill", "rehearsal")
_LEFT = """
    SELECT quote_ident(datname) FROM pg_database
    WHERE starts_with(datname, left(current_database(), $1) || '_')
      AND substr(datname, length(left(current_database(), $1)) + 1) ~ $2
      AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)
    ORDER BY datname
"""


def left_over(url: str) -> str:
    """A sentence about the scratch databases beside this one that nobody uses; empty when there are none.

    They are whole copies. Nothing drops them unasked: somebody may be about to use one.
    """
    with told():
        names = asyncio.run(_left(url))
    drops = "; ".join(f"DROP DATABASE {name}" for name in names)
    return drops and (
        "Left over from a drill or rehearsal that was cut short, and a copy of everything; unless one runs at this "
        f"moment, let their owner or a superuser say: {drops};"
    )


@contextmanager
def scratch(url: str, purpose: str) -> Iterator[str]:
    """The URL of an empty database beside the one at `url`, for the same user; dropped when the block ends.

    Refuses a user who may not create databases. `purpose` becomes part of its name.
    """
    with told():
        name = asyncio.run(_make(url, purpose))
    try:
        beside = urlsplit(url)._replace(path="/" + quote(name)).geturl()
        beside = beside if urlsplit(url).netloc else beside.replace(":/", ":///", 1)
        with told():
            migrations.create_roles(beside, {})
        yield beside
    finally:
        with told():
            asyncio.run(_execute(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _make(url: str, purpose: str) -> str:
    connection = await connect(url, timeout=10)
    try:
        here = await connection.fetchval("SELECT current_database()")
        name = f"{here[:LONGEST]}_{purpose}_{tokens.code(CODE).lower()}"
        await connection.execute(MAKE.format(name.replace('"', '""')))
    except asyncpg.InsufficientPrivilegeError:
        user = await connection.fetchval("SELECT current_user")
        raise Refusal(
            f"the database user {user} may not create a scratch database; put the URL of a superuser into "
            f"OSTIARY_DATABASE_URL, or let one run ALTER ROLE {user} CREATEDB."
        ) from None
    finally:
        await connection.close(timeout=5)
    return name


async def _left(url: str) -> list[str]:
    form = f"^_({'|'.join(PURPOSES)})_[0-9a-z]{{{CODE}}}$"
    connection = await connect(url, timeout=10, server_settings=ALONE)
    try:
        return [row[0] for row in await connection.fetch(_LEFT, LONGEST, form)]
    finally:
        await connection.close(timeout=5)


async def _execute(url: str, statement: str) -> None:
    connection = await connect(url, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=5)
