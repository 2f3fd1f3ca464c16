"""What breaks, breaks whole: nothing half-done, nobody let in, and everything recovers by itself."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from ostiary import postgres, postgres_files, serving
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared import migrations
from ostiary_shared.database import Sessions, make_engine, make_sessions
from tests.make import PASSWORD
from tests.system.conftest import Site

ORPHANS = text("""
    SELECT count(*) FROM users u
    WHERE NOT EXISTS (SELECT FROM passwords p WHERE p.user_id = u.id)
       OR NOT EXISTS (SELECT FROM messages m WHERE m.user_id = u.id)
       OR NOT EXISTS (SELECT FROM role_grants g WHERE g.user_id = u.id)
       OR NOT EXISTS (SELECT FROM audit_events a WHERE a.target_id = u.id)
""")


async def test_a_client_that_hangs_up_leaves_nothing_half_done(site: Site) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    for number in range(60):
        body = f'{{"email": "gone{number}@example.test", "password": "{PASSWORD}"}}'.encode()
        head = (
            f"POST /api/v1/signup HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 198.51.100.{number}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + body[: len(body) if number % 3 else len(body) // 2])
        await writer.drain()
        await asyncio.sleep((number % 20) * 0.004)
        writer.transport.abort()
    assert (await site.ask("GET", "/readyz")).status == 200
    async with site.sessions.begin() as session:
        assert await session.scalar(ORPHANS) == 0
        stuck = "SELECT count(*) FROM pg_stat_activity WHERE state ~ 'idle in' AND application_name = 'ostiary-auth'"
        assert await session.scalar(text(stuck)) == 0


async def test_sign_ups_of_one_address_at_once_make_one_person_and_no_error(site: Site) -> None:
    async def sign_up(email: str) -> int:
        return (await site.ask("POST", "/api/v1/signup", json={"email": email, "password": PASSWORD})).status

    spelled = ["Same@example.test", "same@EXAMPLE.test", "SAME@example.TEST", "same@example.test"] * 5
    assert set(await asyncio.gather(*(sign_up(email) for email in spelled))) == {202}
    async with site.sessions.begin() as session:
        assert await session.scalar(text("SELECT count(*) FROM users")) == 1


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Cluster]:
    """A PostgreSQL of this test's own, to be restarted."""
    folder = Path("/tmp") / f"ostiary-fault-{os.getpid()}"
    with contextlib.ExitStack() as stack:
        folder.mkdir(mode=0o755)
        stack.callback(__import__("shutil").rmtree, folder, ignore_errors=True)
        yield postgres.wait(stack.enter_context(postgres.started(folder)))


async def test_a_database_restarted_under_load_is_back_within_five_seconds_and_nothing_is_half_done(
    cluster: postgres.Cluster,
) -> None:
    superuser, settings = cluster.url("postgres", "postgres"), _settings(cluster)
    await asyncio.to_thread(migrations.create_roles, superuser, {})
    await asyncio.to_thread(migrations.upgrade, superuser.replace("postgres@", "ostiary_owner@"))
    app, socket = create_app(settings), serving.bind(0, "a port")
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    outcomes: list[tuple[float, int]] = []
    async with serving.lifespan(app), serving.serving(serving.Site(app, socket)), aiohttp.ClientSession() as http:
        done = asyncio.Event()
        load = [asyncio.create_task(_sign_up_until(done, http, url, worker, outcomes)) for worker in range(4)]
        await asyncio.sleep(1)
        back_at = await asyncio.to_thread(_crash_and_restart, cluster)
        await asyncio.sleep(6)
        done.set()
        await asyncio.gather(*load)
    assert {status for _, status in outcomes} <= {202, 503}
    accepted = [at for at, status in outcomes if status == 202 and at > back_at]
    assert accepted
    assert min(accepted) - back_at < 5
    engine = make_engine(settings.database_url.get_secret_value(), "test")
    sessions: Sessions = make_sessions(engine)
    async with sessions.begin() as session:
        assert await session.scalar(ORPHANS) == 0
        kept = await session.scalar(text("SELECT count(*) FROM users"))
        assert kept is not None
        assert kept >= sum(status == 202 for _, status in outcomes)
    await engine.dispose()


def _settings(cluster: postgres.Cluster) -> AuthSettings:
    return AuthSettings.load(
        {
            "OSTIARY_PUBLIC_URL": "http://localhost",
            "OSTIARY_DATABASE_URL": cluster.url("ostiary_auth", "postgres"),
            "OSTIARY_SECRET_KEY": "fault-3f9a1c7e5b2d8046a9c1e3f5b7d9",
            "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
            "OSTIARY_MAIL_FROM": "door@example.test",
            "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
        }
    )


async def _sign_up_until(
    done: asyncio.Event, http: aiohttp.ClientSession, url: str, worker: int, outcomes: list[tuple[float, int]]
) -> None:
    number = 0
    while not done.is_set() and number < 400:
        number += 1
        body = {"email": f"w{worker}n{number}@example.test", "password": PASSWORD}
        # Everybody comes from a network of their own, so that no limit is in the way.
        forwarded = {"X-Forwarded-For": f"198.51.{worker}.{number % 250}"}
        async with http.post(f"{url}/api/v1/signup", json=body, headers=forwarded) as answer:
            outcomes.append((time.monotonic(), answer.status))
        await asyncio.sleep(0.02)


def _crash_and_restart(cluster: postgres.Cluster) -> float:
    """Kill one backend: PostgreSQL throws everybody out, recovers from its log, and comes back by itself."""
    import psutil

    server = postgres.server_process(cluster.home)
    assert server is not None
    victim = next(child for child in server.children() if "ostiary_auth" in " ".join(child.cmdline()))
    victim.kill()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if postgres_files.pid_lines(cluster.home)[7].strip() == "ready" and not _recovering(cluster):
            return time.monotonic()
        time.sleep(0.05)
    raise AssertionError(psutil.__name__)


def _recovering(cluster: postgres.Cluster) -> bool:
    import asyncpg

    async def ask() -> bool:
        try:
            connection = await asyncpg.connect(cluster.url("postgres", "postgres"))
        except (OSError, asyncpg.PostgresError):
            return True
        await connection.close()
        return False

    return asyncio.run(ask())
