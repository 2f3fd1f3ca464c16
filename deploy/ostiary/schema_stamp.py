"""Remembers in the data folder which schema `up` has last made, so that a later start need not load Alembic to see it.

The database has the last word: the stamp only counts while the database itself is at the revision it names.
"""

import hashlib
import importlib.util
from pathlib import Path

import asyncpg

FILE = "schema"


async def is_current(home: Path, database_url: str) -> bool:
    """Whether the database is where this very code has brought it before."""
    try:
        code, revision = (home / FILE).read_text().split()
        connection = await asyncpg.connect(database_url)
    except (OSError, ValueError, asyncpg.PostgresError):
        return False
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()
    return found == revision and code == _code()


def remember(home: Path, revision: str) -> None:
    """Note that this code has brought the database to `revision`."""
    (home / FILE).write_text(f"{_code()} {revision}\n")


def _code() -> str:
    """The digest of all migrations there are."""
    shared = importlib.util.find_spec("ostiary_shared")
    folders = list(shared.submodule_search_locations or ()) if shared else []
    found = sorted(file for folder in folders for file in Path(folder, "migrations", "versions").glob("*.*"))
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in found)).hexdigest()
