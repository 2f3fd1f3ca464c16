"""OSTIARY_TRUSTED_HOSTS: browsers reach us by our own names alone; proxies and services by whatever name they know."""

import pytest
from quart.typing import TestClientProtocol as Browser

from ostiary_admin.app import create_app as create_admin
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings
from ostiary_shared.settings import SettingsError
from ostiary_shared.web.hosts import MACHINES, is_ours
from tests.admin.test_auth_fails import admin_settings
from tests.conftest import Databases

NAMES = ("login.example.org", "*.example.net")
OURS = ("https://login.example.org:8443", "*.example.net", "auth", "[::1]")


@pytest.mark.parametrize(
    "host",
    ["login.example.org", "LOGIN.Example.org:8443", "login.example.org.", "a.example.net", "auth:8000", "[::1]:80"],
)
def test_a_name_of_ours_is_known_in_every_spelling(host: str) -> None:
    assert is_ours(host, OURS)


@pytest.mark.parametrize(
    "host",
    ["", "evil.test", "example.net", ".example.net", "a.b.example.net", "login.example.org.evil.test", "evil:80:80",
     "x@login.example.org", "login.example.org/", "*.example.net", "login.example.org:port"],
)  # fmt: skip
def test_anything_else_is_not(host: str) -> None:
    assert not is_ours(host, OURS)


async def told(browser: Browser, path: str, host: str, **headers: str) -> int:
    answer = await browser.get(path, headers={"Host": host, "Accept": "text/html", **headers})
    if answer.status_code == 421:
        assert "not known by this name" in await answer.get_data(as_text=True)
        assert host not in await answer.get_data(as_text=True)
    return answer.status_code


PAGES = ("/login", "/signup", "/api/v1/account", "/nowhere", "/assets/base.css")


async def test_auth_answers_browsers_by_its_own_names_alone(database: Databases, auth_settings: AuthSettings) -> None:
    settings = auth_settings.model_copy(update={"trusted_hosts": NAMES})
    async with create_auth(settings).test_app() as running:
        browser = running.test_client()
        for path in PAGES:
            assert await told(browser, path, "evil.test") == 421
            for ours in ("login.example.org", "de.example.net:443", "localhost"):  # the last is of the public URL
                assert await told(browser, path, ours) != 421
        posted = await browser.post("/api/v1/login", headers={"Host": "evil.test"}, json={"email": "", "password": ""})
        assert posted.status_code == 421
        assert (await posted.get_json())["code"] == "unknown_host"
        for path in sorted(MACHINES):
            assert await told(browser, path, "auth:8000") != 421
        assert await told(browser, "/.ostiary/sign-in", "app.example.com") != 421
        assert await told(browser, "/api/v1/denials/x", "auth:8000", Authorization="Bearer x") != 421
        twice = await browser.get("/login", headers=[("Host", "login.example.org"), ("Host", "evil.test")])
        assert twice.status_code == 421


async def test_admin_answers_browsers_by_its_own_names_alone(database: Databases) -> None:
    settings = admin_settings(database, "http://127.0.0.1:1", OSTIARY_TRUSTED_HOSTS="login.example.org")
    async with create_admin(settings).test_app() as running:
        browser = running.test_client()
        for path in ("/admin", "/admin/users", "/admin/api/v1/users", "/admin/assets/base.css"):
            assert await told(browser, path, "evil.test") == 421
            assert await told(browser, path, "login.example.org") != 421
        assert await told(browser, "/admin/healthz", "admin:8000") == 200


async def test_without_the_setting_any_name_will_do(auth: Browser) -> None:
    assert await told(auth, "/login", "whatever.test") == 200


@pytest.mark.parametrize("hosts", ["https://login.example.org", "login.example.org:443", "*", "a.*.org", "log in"])
def test_a_host_that_is_none_is_a_mistake(hosts: str, databases: Databases) -> None:
    with pytest.raises(SettingsError, match="OSTIARY_TRUSTED_HOSTS cannot be used: must be host names"):
        admin_settings(databases, "http://auth", OSTIARY_TRUSTED_HOSTS=hosts)
