"""From every release that there was: its people's database goes to the newest schema, and nobody notices."""

import asyncio
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared import migrations
from ostiary_shared.database import make_engine
from ostiary_shared.models import Base
from tests.conftest import PUBLIC_URL, Databases
from tests.system import released
from tests.system.released import Sample


@pytest.fixture(params=released.VERSIONS)
def old(request: pytest.FixtureRequest, worker_id: str) -> Iterator[tuple[Sample, Databases]]:
    with released.database(f"old_{worker_id}", request.param) as found:
        yield released.sample(request.param), found


def test_an_old_database_becomes_what_the_models_describe(old: tuple[Sample, Databases]) -> None:
    _, database = old
    done = migrations.upgrade(database.owner)
    assert done.complete

    async def differences() -> list[object]:
        engine = make_engine(database.owner, "test")
        async with engine.connect() as connection:
            found = await connection.run_sync(_compare)
        await engine.dispose()
        return found

    assert asyncio.run(differences()) == []


def test_whoever_was_signed_in_stays_so_and_every_password_and_token_counts(old: tuple[Sample, Databases]) -> None:
    sample, database = old
    migrations.upgrade(database.owner)
    settings = told(sample, database)

    async def visits() -> None:
        app = create_app(settings)
        async with app.test_app():
            browser = app.test_client(use_cookies=False)
            for email, token in sample.tokens.items():
                kept = await browser.get("/api/v1/session", headers={"Cookie": f"ostiary={token}"})
                assert (await kept.get_json())["user"]["email"] == email
                entered = await browser.post("/api/v1/login", json={"email": email, "password": sample.password})
                assert entered.status_code == 200, await entered.get_data(as_text=True)
            bearer = {"Authorization": f"Bearer {sample.api_token}"}
            assert (await browser.get("/api/v1/session", headers=bearer)).status_code == 200

    asyncio.run(visits())


def test_code_that_comes_before_its_schema_waits_unready_and_goes_on_by_itself(old: tuple[Sample, Databases]) -> None:
    """Somebody may have rolled the services first: who is signed in is let through, and the rest waits."""
    sample, database = old
    token = next(iter(sample.tokens.values()))

    async def visits() -> None:
        app = create_app(told(sample, database))
        async with app.test_app():
            browser = app.test_client(use_cookies=False)
            early = await browser.get("/readyz")
            assert early.status_code == 503
            assert "Run ./ostiary migrate" in (await early.get_json())["reason"]
            known = await browser.get("/api/v1/session", headers={"Cookie": f"ostiary={token}"})
            assert known.status_code == 200
            await asyncio.to_thread(migrations.upgrade, database.owner)
            assert (await browser.get("/readyz")).status_code == 200

    asyncio.run(visits())


def told(sample: Sample, database: Databases) -> AuthSettings:
    return AuthSettings.load(
        {
            "OSTIARY_PUBLIC_URL": PUBLIC_URL,
            "OSTIARY_DATABASE_URL": database.auth,
            "OSTIARY_SECRET_KEY": sample.auth_key,
            "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
            "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
        }
    )


def _compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))
