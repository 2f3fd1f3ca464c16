"""Who says what stands in a dump: ostiary_owner, or somebody made for it who may be nobody else. Never a superuser.

A dump is SQL, and so are the functions and views that it leaves: a superuser who runs or reads them runs programs.
SET ROLE is no fence, since whoever speaks may take it back.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import asyncpg

from ostiary.backups.place import OWNER
from ostiary.faults import Refusal
from ostiary_shared import clock, scram, tokens
from ostiary_shared.database import connect

PREFIX = "ostiary_stand_in_"
LASTS = timedelta(days=1)  # for the password of one that a killed command left behind
# Whoever may make functions in `public` could else have one called in the place of PostgreSQL's.
ALONE = {"application_name": "ostiary-operator", "search_path": "pg_catalog"}
# What says who somebody is, in a URL.
OF_USERS = {"user", "password", "passfile", "sslcert", "sslkey", "sslpassword"}

_MIGHTY = """
    SELECT EXISTS (SELECT FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (rolsuper OR rolname IN
                   ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')))
"""
_LEFT = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1) AND rolvaliduntil < now()"


@asynccontextmanager
async def as_owner(url: str) -> AsyncIterator[str]:
    """The same place for somebody who has the rights of ostiary_owner and no more. Refuses when there is nobody."""
    if not await _mighty(url):
        yield url
        return
    owners = _for_owner(url)
    if owners and await _lets_in(owners) and not await _mighty(owners):
        yield owners
        return
    connection = await connect(url, timeout=10, server_settings=ALONE)
    try:
        name, password = f"{PREFIX}{tokens.code().lower()}", tokens.code(40)
        try:
            await _tidy(connection)
            until = (clock.now() + LASTS).isoformat()
            await connection.execute(
                f"CREATE ROLE {name} LOGIN PASSWORD '{scram.verifier(password)}' VALID UNTIL '{until}' IN ROLE {OWNER}"
            )
        except asyncpg.InsufficientPrivilegeError:
            raise _nobody("may not make one who may no more than that") from None
        try:
            stand_in = _for(url, name, password)
            if not await _lets_in(stand_in):
                raise _nobody("the server does not let in one made for this with a password")
            if await _mighty(stand_in):
                raise _nobody(f"{OWNER} itself may run programs on the server; take that right from it (NOSUPERUSER)")
            yield stand_in
        finally:
            await _drop(connection, name)
    finally:
        await connection.close(timeout=5)


def _for_owner(url: str) -> str:
    """The owner's URL where a server lets in whoever reaches its socket, as the embedded one does."""
    parts = urlsplit(url)
    socket = parse_qs(parts.query).get("host", [""])[0].startswith("/")
    return "" if parts.hostname or parts.password or not socket else f"postgresql://{OWNER}@{parts.path}?{parts.query}"


def _for(url: str, name: str, password: str) -> str:
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key not in OF_USERS], safe="/")
    return parts._replace(netloc=f"{name}:{password}@{hosts}", query=query).geturl()


async def _mighty(url: str) -> bool:
    """Whether this user may run programs on the server, or may become somebody who may."""
    connection = await connect(url, timeout=10, server_settings=ALONE)
    try:
        return bool(await connection.fetchval(_MIGHTY))
    finally:
        await connection.close(timeout=5)


async def _lets_in(url: str) -> bool:
    try:
        await (await connect(url, timeout=10, server_settings=ALONE)).close(timeout=5)
    except (asyncpg.PostgresError, OSError):
        return False
    return True


async def _tidy(connection: Any) -> None:
    """Drop those that killed commands have left behind."""
    for row in await connection.fetch(_LEFT, PREFIX):
        with suppress(asyncpg.DependentObjectsStillExistError, asyncpg.UndefinedObjectError):
            await _drop(connection, row["rolname"])


async def _drop(connection: Any, name: str) -> None:
    await connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def _nobody(why: str) -> Refusal:
    return Refusal(
        f"a dump is not said by a user who may run programs on the server, and {why}; put {OWNER}'s URL into "
        f"OSTIARY_DATABASE_URL (for a drill: ALTER ROLE {OWNER} CREATEDB); nothing was changed."
    )
