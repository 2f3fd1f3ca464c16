"""Law 9, its teeth: a service with an undeclared route does not start."""

import pytest
from quart import Blueprint

from ostiary_admin import pages as admin_pages
from ostiary_admin.app import create_app as create_admin
from ostiary_admin.settings import AdminSettings
from ostiary_auth import pages as auth_pages
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings

forgetful = Blueprint("forgetful", __name__)


@forgetful.get("/admin/forgotten")
async def forgotten() -> str:
    return "whoever you are"


def test_auth_does_not_start_with_an_undeclared_route(
    auth_settings: AuthSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_pages, "BLUEPRINTS", (*auth_pages.BLUEPRINTS, forgetful))
    with pytest.raises(RuntimeError, match=r"forgetful\.forgotten"):
        create_auth(auth_settings)


def test_admin_does_not_start_with_an_undeclared_route(
    admin_app_settings: AdminSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_pages, "BLUEPRINTS", (*admin_pages.BLUEPRINTS, forgetful))
    with pytest.raises(RuntimeError, match=r"forgetful\.forgotten"):
        create_admin(admin_app_settings)
