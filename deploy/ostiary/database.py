"""Which database a command works on, and bringing it up to date: roles first, then the migrations."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
from sqlalchemy import text

from ostiary import home as folder
from ostiary import postgres, schema_stamp
from ostiary.faults import Refusal
from ostiary.postgres import Cluster
from ostiary_shared.database import make_engine, make_sessions
from ostiary_shared.store import roles

NAME = "ostiary"
OWNER, AUTH, ADMIN = "ostiary_owner", "ostiary_auth", "ostiary_admin"
# The processes that answer from memory and gave a sign of life just now.
REPLICAS = "SELECT name FROM replicas WHERE heard_at > now() - interval '5 seconds' ORDER BY name"
PATIENCE = 15.0  # seconds, for an `up` that is starting at this very moment


def prepare(cluster: Cluster) -> None:
    """Make the embedded cluster's database and roles if they are missing, and upgrade the schema."""
    owner = cluster.url(OWNER, NAME)
    if asyncio.run(schema_stamp.is_current(cluster.home, owner)):
        return
    from ostiary_shared import migrations  # noqa: PLC0415 - Alembic takes a third of a second to load

    asyncio.run(_create_database(cluster))
    migrations.create_roles(cluster.url("postgres", NAME), {})
    schema_stamp.remember(cluster.home, upgrade(owner))


def upgrade(url: str, tell: Callable[[str], object] = lambda _said: None) -> str:
    """Upgrade the schema and make the first roles; the revision. What cannot be done right is refused.

    `tell` hears how it goes.
    """
    from ostiary_shared import migrations  # noqa: PLC0415 - the same

    try:
        state = migrations.upgrade(url, tell)
    except migrations.UpgradeRefusedError as error:
        raise Refusal(one_sentence(str(error))) from None
    asyncio.run(_seed(url))
    return state.head


@contextlib.contextmanager
def at_hand(home: Path) -> Iterator[Cluster]:
    """The embedded server of `home`: the one of a running `up`, or else one that runs only while the block does."""
    if not (home / "postgres").exists():
        message = (
            f"there is no data in {home}; run ./ostiary up first, name it with --data DIR, or set OSTIARY_DATABASE_URL."
        )
        raise Refusal(message)
    with folder.held(home, folder.COMMAND) as alone:
        if alone:
            with postgres.started(home) as start:
                yield postgres.wait(start)
        else:
            yield _of_running_up(home)


def one_sentence(text: str) -> str:
    """Several sentences joined into one line that ends with a full stop, its first word in small letters."""
    line = "; ".join(part.strip().rstrip(".") for part in text.replace("\n", " ").split(". ") if part.strip())
    return line[:1].lower() + line[1:] + "."


def _of_running_up(home: Path) -> Cluster:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if cluster := postgres.running(home):
            return cluster
        time.sleep(0.1)
    message = f"another process holds {home}, but its database does not answer; stop it and try again."
    raise Refusal(message)


async def _seed(url: str) -> None:
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        async with make_sessions(engine).begin() as session:
            await session.execute(text(f"SET LOCAL ROLE {OWNER}"))  # as the upgrade before it
            await roles.seed(session)
    finally:
        await engine.dispose()


async def _create_database(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.url("postgres", "postgres"))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", NAME):
            await connection.execute(f"CREATE DATABASE {NAME}")
    finally:
        await connection.close()
