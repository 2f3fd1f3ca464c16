"""While auth cannot say who somebody is, nobody is let in, the page says so, and it mends itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientTimeout, web

from ostiary_admin import auth_client
from ostiary_admin.app import create_app
from ostiary_admin.settings import AdminSettings
from ostiary_client.session import fetch_session
from tests.admin.conftest import Console


async def test_auth_down_is_a_clear_page_and_nothing_is_let_in(console: Console) -> None:
    headers = {**await console.enter("admin"), "Accept": "text/html"}
    console.auth.fault = OSError("refused")
    for method, path in (("GET", "/admin"), ("GET", "/admin/users"), ("POST", "/admin/users/new")):
        answer = await console.open(path, method=method, headers=headers)
        text = await answer.get_data(as_text=True)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "cannot check who you are" in text
        assert "@example.test" not in text
    answer = await console.client.get("/admin/api/v1/users", headers=headers)
    assert (await answer.get_json())["code"] == "unavailable"
    console.auth.fault = None
    assert (await console.client.get("/admin/users", headers=headers)).status_code == 200


async def test_strangers_are_still_sent_to_sign_in_and_files_are_served(console: Console) -> None:
    headers = await console.enter("admin")
    console.auth.fault = OSError("refused")
    answer = await console.client.get("/admin/users", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert (await console.client.post("/admin/users/new")).status_code == 401
    busy = await (await console.client.get("/admin", headers={**headers, "Accept": "text/html"})).get_data(as_text=True)
    sheet = busy.split('href="/admin/assets/')[2].split('"')[0]
    assert (await console.client.get(f"/admin/assets/{sheet}", headers=headers)).status_code == 200
    assert (await console.client.get("/admin/healthz", headers=headers)).status_code == 200


async def test_every_request_asks_auth_anew(console: Console) -> None:
    headers = await console.enter("admin")
    before = console.auth.asked
    for _ in range(3):
        await console.client.get("/admin/roles", headers=headers)
    assert console.auth.asked == before + 3
    console.auth.people.clear()
    assert (await console.client.get("/admin/roles", headers={**headers, "Accept": "text/html"})).status_code == 303


async def test_roles_count_as_the_database_has_them_not_as_auth_says(console: Console) -> None:
    headers = await console.enter("auditor")
    assert (await console.client.get("/admin/roles", headers=headers)).status_code == 200
    assert (await console.client.post("/admin/roles/new", headers=headers, form={"name": "x"})).status_code == 403


def sleeping() -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    return answer


def saying(
    status: int, body: bytes, kind: str = "application/json", **headers: str
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type=kind, headers=headers)

    return answer


NIL = "00000000-0000-0000-0000-000000000000"
MAD = {
    "slow": sleeping(),
    "an error": saying(500, b"{}"),
    "a page": saying(200, b"<html>hello", "text/html"),
    "half a body": saying(200, b'{"user": {"id": "'),
    "a list": saying(200, b"[]"),
    "no session": saying(
        200, b'{"user": {"id": "%s", "email": "", "name": "", "roles": [], "permissions": []}}' % NIL.encode()
    ),
    "a naked time": saying(
        200,
        b'{"user": {"id": "%(n)s", "email": "a", "name": "b", "roles": [], "permissions": []}, '
        b'"session": {"id": "%(n)s", '
        b'"assurance": 1, "methods": [], "created_at": "2026-01-01T00:00:00", '
        b'"authenticated_at": "2026-01-01T00:00:00", '
        b'"expires_at": "2099-01-01T00:00:00"}}' % {b"n": NIL.encode()},
    ),
    "a redirect": saying(302, b"", Location="/somewhere"),
    "too much": saying(200, b'{"user": "' + b"x" * 400_000 + b'"}'),
    "not allowed": saying(403, b"{}"),
}


@pytest.mark.parametrize("how", MAD)
async def test_a_mad_auth_lets_nobody_in(
    how: str, console: Console, admin_settings: AdminSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_client, "fetch_session", fetch_session)
    monkeypatch.setattr(auth_client, "ASK", ClientTimeout(total=0.3))
    headers = {**await console.enter("admin"), "Accept": "text/html"}
    served = web.Application()
    served.router.add_get("/api/v1/session", MAD[how])
    runner = web.AppRunner(served)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    app = create_app(admin_settings.model_copy(update={"auth_url": f"http://127.0.0.1:{port}"}))
    try:
        async with app.test_app() as running:
            answer = await running.test_client().get("/admin/users", headers=headers)
    finally:
        await runner.cleanup()
    assert answer.status_code == 503
