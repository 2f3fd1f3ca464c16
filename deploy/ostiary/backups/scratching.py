"""A scratch database beside another one: made empty, dropped at the end whatever happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import asyncpg

from ostiary.faults import Refusal
from ostiary.telling import told
from ostiary_shared import migrations, tokens
from ostiary_shared.database import connect

# A name in PostgreSQL has 63 bytes.
LONGEST = 40
# As the embedded server has it; the tables name the collations they need themselves.
MAKE = """
    CREATE DATABASE "{}" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'
"""


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
        name = f"{here[:LONGEST]}_{purpose}_{tokens.code(4).lower()}"
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


async def _execute(url: str, statement: str) -> None:
    connection = await connect(url, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=5)
