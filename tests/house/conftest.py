"""Both services, as they are served, for the tests that ask every route the same question."""

from collections.abc import AsyncIterator

import pytest
from quart import Quart

from ostiary_admin.app import create_app as create_admin
from ostiary_admin.settings import AdminSettings
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings
from tests.conftest import ADMIN_SECRET, PUBLIC_URL, Databases


@pytest.fixture
def admin_app_settings(databases: Databases) -> AdminSettings:
    """Auth is away: a stranger's request must be answered without it."""
    return AdminSettings.load(
        {
            "OSTIARY_PUBLIC_URL": PUBLIC_URL,
            "OSTIARY_DATABASE_URL": databases.admin,
            "OSTIARY_SECRET_KEY": ADMIN_SECRET,
            "OSTIARY_AUTH_URL": "http://127.0.0.1:1",
        }
    )


@pytest.fixture(params=["auth", "admin"])
async def app(
    request: pytest.FixtureRequest,
    database: Databases,
    auth_settings: AuthSettings,
    admin_app_settings: AdminSettings,
) -> AsyncIterator[Quart]:
    """Each service in turn, started."""
    made = create_auth(auth_settings) if request.param == "auth" else create_admin(admin_app_settings)
    async with made.test_app():
        yield made
