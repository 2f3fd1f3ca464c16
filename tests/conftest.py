"""Real PostgreSQL for every test: one server a run, one database a worker, emptied before each test that uses it."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from quart.typing import TestClientProtocol as Browser
from sqlalchemy import event, text
from sqlalchemy.orm import Session as SyncSession

from ostiary import postgres
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools, AuthWork, make_tools
from ostiary_shared import migrations, revocation
from ostiary_shared.database import Sessions, make_engine, make_sessions
from ostiary_shared.work import Caller, open_work
from tests import canary, kept, quick

SERVER = "OSTIARY_TEST_POSTGRES"
KEPT = {"alembic_version", "schema_revisions", *kept.SEEDED}
# An emptied table is a file of no length, until somebody writes to it.
WRITTEN_TO = """SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0"""
# The machine is not going to lose its power: what tests end with a signal is processes.
FOR_KEEPS = ("fsync", "full_page_writes")
RELOAD = "SELECT pg_reload_conf()"
PUBLIC_URL = "http://localhost"
AUTH_SECRET = "auth-3f9a1c7e5b2d8046a9c1e3f5b7d90284"
ADMIN_SECRET = "admin-8c2e4a6f0b1d3957c8e0a2b4d6f81937"

_run = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's PostgreSQL in the controlling process; workers inherit its address."""
    canary.secrets.update({AUTH_SECRET, ADMIN_SECRET})
    canary.watch_secrets()
    canary.install()
    kept.keep_what_is_compiled()
    quick.hurry()
    if hasattr(config, "workerinput") or SERVER in os.environ or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="ostiary-test-"))
    folder.chmod(0o755)  # the embedded server runs as an ordinary user when root tests
    (folder / "home").mkdir()
    _run.callback(shutil.rmtree, folder, ignore_errors=True)
    cluster = postgres.wait(_run.enter_context(postgres.started(folder / "home")))
    os.environ[SERVER] = f"postgresql://postgres@/postgres?host={cluster.sockets}"
    asyncio.run(execute(os.environ[SERVER], *(f"ALTER SYSTEM SET {name} = off" for name in FOR_KEEPS), RELOAD))
    _run.callback(os.environ.pop, SERVER)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what `pytest_configure` started."""
    if not hasattr(config, "workerinput"):
        _run.close()


@pytest.fixture(autouse=True)
def no_line_of_the_log_holds_a_secret_or_an_address() -> Iterator[None]:
    """In every test: whatever was logged meanwhile (ASVS 16.2.5)."""
    yield
    told, canary.found[:] = canary.found[:], []
    assert told == []


class Databases:
    """The addresses of this worker's database, by role."""

    def __init__(self, server: str, name: str) -> None:
        self.superuser = server.replace("/postgres?", f"/{name}?")
        self.owner = self.superuser.replace("postgres@", "ostiary_owner@")
        self.auth = self.superuser.replace("postgres@", "ostiary_auth@")
        self.admin = self.superuser.replace("postgres@", "ostiary_admin@")


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@event.listens_for(SyncSession, "before_commit")
def _whoever_takes_something_away_waits_until_it_is_gone(session: SyncSession) -> None:
    """In every test: an act on record that the database told the replicas of is one that the code will wait for."""
    if session.info.get(revocation._AUDITED) and not session.info.get(revocation._MARK):
        told = session.scalar(text("SELECT current_setting('ostiary.told', true)"))
        assert told != "yes", "a store function took something away and did not say revocation.mark(session)"


@pytest.fixture(scope="session")
def databases(worker_id: str) -> Databases:
    """A migrated database of this worker's own."""
    import threading

    found = Databases(os.environ[SERVER], f"test_{worker_id}")
    drop = f'DROP DATABASE IF EXISTS "test_{worker_id}" WITH (FORCE)'

    def make() -> None:
        asyncio.run(execute(os.environ[SERVER], drop, f'CREATE DATABASE "test_{worker_id}"'))
        migrations.create_roles(found.superuser, {})
        migrations.upgrade(found.owner)

    # In a thread of its own: the session's event loop may be running already.
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return found


@pytest.fixture
async def database(databases: Databases) -> Databases:
    """The worker's database, with the seed roles and nothing else."""
    connection = await asyncpg.connect(databases.superuser)
    try:
        written = await connection.fetch(WRITTEN_TO)
        names = [f'"{row["relname"]}"' for row in written if row["relname"] not in KEPT]
        await connection.execute("SET session_replication_role = replica")  # the audit log refuses to be emptied
        if names:
            await connection.execute(f"TRUNCATE {', '.join(names)} CASCADE")
        await kept.plant_roles(connection, databases.auth)
    finally:
        await connection.close()
    return databases


@pytest.fixture
async def sessions(database: Databases) -> AsyncIterator[Sessions]:
    """Sessions with the rights of the auth service."""
    engine = make_engine(database.auth, "test")
    yield make_sessions(engine)
    await engine.dispose()


@pytest.fixture
async def admin_sessions(database: Databases) -> AsyncIterator[Sessions]:
    """Sessions with the rights of the admin service."""
    engine = make_engine(database.admin, "test")
    yield make_sessions(engine)
    await engine.dispose()


@pytest.fixture
def auth_settings(databases: Databases) -> AuthSettings:
    """The auth service's settings in tests: plain HTTP on localhost."""
    return AuthSettings.load(
        {
            "OSTIARY_PUBLIC_URL": PUBLIC_URL,
            "OSTIARY_DATABASE_URL": databases.auth,
            "OSTIARY_SECRET_KEY": AUTH_SECRET,
            "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
            "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
            # The app itself answers; tests/auth/fast and tests/system have the quick doors.
            "OSTIARY_MEMORY_SESSIONS": "0",
        }
    )


@pytest.fixture(scope="session")
async def _passwords() -> AsyncIterator[dict[str, AuthTools]]:
    """Tools are kept for the run: making the dummy hash costs time."""
    kept: dict[str, AuthTools] = {}
    yield kept
    for tools in kept.values():
        await tools.statements.close()


@pytest.fixture
def tools(auth_settings: AuthSettings, _passwords: dict[str, AuthTools]) -> AuthTools:
    """The auth service's tools."""
    if "tools" not in _passwords:
        _passwords["tools"] = make_tools(auth_settings)
    return _passwords["tools"]


@pytest.fixture
async def work(sessions: Sessions, tools: AuthTools) -> AsyncIterator[AuthWork]:
    """A unit of work of the auth service, committed at the end of the test."""
    async with open_work(sessions, tools=tools, caller=Caller(ip="192.0.2.7", user_agent="test")) as opened:
        yield opened


@pytest.fixture
async def auth(database: Databases, auth_settings: AuthSettings) -> AsyncIterator[Browser]:
    """A browser at the auth service."""
    app = create_auth(auth_settings)
    async with app.test_app() as running:
        yield running.test_client()
