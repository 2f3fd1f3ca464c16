"""Releases that there were: their code as a process runs it, and a database as people left it who used that code."""

import asyncio
import contextlib
import gzip
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from ostiary import postgres_files
from ostiary_shared import migrations
from tests.conftest import SERVER, Databases, execute

RELEASES = Path(__file__).parents[1] / "releases"
VERSIONS = sorted(path.name for path in RELEASES.iterdir() if (path / "sample.sql.gz").exists())
MOMENTS = """SELECT format('UPDATE %I SET %s', c.table_name,
        string_agg(format('%1$I = %1$I + $1', c.column_name), ', ')) AS statement
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND c.data_type = 'timestamp with time zone' AND t.table_type = 'BASE TABLE'
    GROUP BY c.table_name"""


@dataclass(frozen=True)
class Sample:
    """What is known of a sample: who is in it, what they carry, and the keys of the services."""

    version: str
    password: str
    tokens: dict[str, str]
    api_token: str
    auth_key: str
    admin_key: str


def sample(version: str) -> Sample:
    found: dict[str, Any] = json.loads((RELEASES / version / "sample.json").read_text())
    tokens = {person["email"]: person["token"] for person in found["people"]}
    keys = found["keys"]
    return Sample(
        version, found["password"], tokens, found["api_token"], keys["auth_secret_key"], keys["admin_secret_key"]
    )


def unpacked(version: str, place: Path) -> dict[str, str]:
    """The environment in which a process runs this release instead of the tree."""
    for wheel in (RELEASES / version).glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(place)
    return {"PYTHONPATH": str(place)}  # before what the environment's .pth file adds


@contextlib.contextmanager
def database(name: str, version: str) -> Iterator[Databases]:
    """A database with the release's sample, as if it had been left a moment ago; dropped when the block ends."""
    server, found = os.environ[SERVER], Databases(os.environ[SERVER], name)
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    asyncio.run(execute(server, drop, f'CREATE DATABASE "{name}" TEMPLATE "{_template(version)}"'))
    try:
        yield found
    finally:
        asyncio.run(execute(server, drop))


@cache
def _template(version: str) -> str:
    """The database that the others are copies of; it goes with the server."""
    server, name = os.environ[SERVER], f"sample_{version}_{os.getpid()}"
    asyncio.run(execute(server, f'CREATE DATABASE "{name}"'))
    url = Databases(server, name).superuser
    migrations.create_roles(url, {})
    _load(url, version)
    return name


def _load(url: str, version: str) -> None:
    text = gzip.decompress((RELEASES / version / "sample.sql.gz").read_bytes())
    command = [str(postgres_files.program("psql")), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", url]
    subprocess.run(command, input=text, check=True, stdout=subprocess.DEVNULL)
    made = datetime.fromisoformat(json.loads((RELEASES / version / "sample.json").read_text())["at"])
    asyncio.run(_moved(url, made))


async def _moved(url: str, made: datetime) -> None:
    """Move everything that ever happened to today: else all sessions would be over after some weeks."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for row in await connection.fetch(MOMENTS):
            await connection.execute(row["statement"], datetime.now(UTC) - made)
    finally:
        await connection.close()
