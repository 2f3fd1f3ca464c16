"""What everything is measured in: an embedded PostgreSQL in a temporary folder, people who are signed in, a site."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from ostiary import database, postgres, postgres_files
from ostiary.benchmarks import people
from ostiary.benchmarks.people import Person
from ostiary.postgres import Cluster
from ostiary_shared import tokens

HOST = "localhost"
# Room for a million sessions. What the disk does is no part of any figure here, so nothing waits for it.
TUNING = "\nshared_buffers = 512MB\nmax_wal_size = 4GB\n"
SITE = """
    WITH site AS (INSERT INTO sites (name, host) VALUES ('A site', $1) RETURNING id)
    INSERT INTO site_rules (site_id, position, path_prefix, asks) SELECT id, 1, '/', 'signed_in' FROM site
"""


@dataclass(frozen=True)
class World:
    """The database and who is in it."""

    folder: Path
    cluster: Cluster
    secret: str
    people: tuple[Person, ...]

    @property
    def session_key(self) -> tokens.Key:
        return tokens.derive((self.secret,), "session")

    @property
    def owner(self) -> str:
        return self.cluster.url(database.OWNER, database.NAME)

    @property
    def auth(self) -> str:
        return self.cluster.url(database.AUTH, database.NAME)

    @property
    def superuser(self) -> str:
        return self.cluster.url("postgres", database.NAME)

    def database_pids(self) -> list[int]:
        """The server; all its processes are below it."""
        process = postgres.server_process(self.cluster.home)
        return [process.pid] if process else []


@contextlib.contextmanager
def built(count: int) -> Iterator[World]:
    """A world of `count` people, gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="ostiary-bench-"))
    folder.chmod(0o755)  # the embedded server runs as an ordinary user when root measures
    home = folder / "home"
    home.mkdir()
    try:
        postgres_files.prepare(home)
        with (postgres_files.data(home) / "postgresql.conf").open("a") as configuration:
            configuration.write(TUNING)
        with postgres.started(home) as start:
            yield _peopled(folder, postgres.wait(start), count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def execute(url: str, statement: str, *values: Any) -> list[Any]:
    """One statement; its rows."""
    return asyncio.run(_execute(url, statement, *values))


def _peopled(folder: Path, cluster: Cluster, count: int) -> World:
    database.prepare(cluster)
    empty = World(folder, cluster, tokens.mint("key").value, ())
    execute(empty.owner, SITE, HOST)
    found = people.seed(empty.owner, empty.session_key, count)
    execute(empty.superuser, "VACUUM ANALYZE")
    return World(folder, cluster, empty.secret, found)


async def _execute(url: str, statement: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[Any] = await connection.fetch(statement, *values)
        return rows
    finally:
        await connection.close()
