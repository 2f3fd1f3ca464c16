"""The doctor names each fault that is planted, and has nothing to say of the proxies as we ship them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner
from pydantic import SecretStr

from ostiary import serving
from ostiary.checkups import Found, State, probing, site, through
from ostiary.checkups import database as database_checkup
from ostiary.checkups import mail as mail_checkup
from ostiary.cli import group
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import probe_key
from ostiary_shared.database import Sessions
from tests.conftest import AUTH_SECRET, Databases
from tests.system import intranet as house
from tests.system.proxied import KINDS

Headers = dict[str, str]
Fault = Callable[[Headers, Headers], None]
HOP = {"host", "content-length", "connection", "transfer-encoding", "date"}


def _careful(headers: Headers, client: Headers) -> None:
    for name in list(headers):
        if name.lower().replace("_", "-").startswith(("remote-", "x-ostiary-a", "x-forwarded-", "x-request-id")):
            del headers[name]
    headers |= {"X-Forwarded-For": "198.51.100.4", "X-Forwarded-Proto": "http", "X-Forwarded-Host": client["Host"]}


# What is wrong, and the check that must say so.
def _writes(name: str, value: str) -> Fault:
    return lambda headers, _: headers.update({name: value})


def _lets_through(name: str) -> Fault:
    return lambda headers, client: headers.update({key: client[key] for key in client if key.lower() == name.lower()})


def _forgets(name: str) -> Fault:
    return lambda headers, _: headers.__delitem__(name)


FAULTS: dict[str, tuple[Fault, str]] = {
    "passes on the client's address": (_lets_through("X-Forwarded-For"), "client address"),
    "names no client": (_forgets("X-Forwarded-For"), "client address"),
    "claims https": (_writes("X-Forwarded-Proto", "https"), "scheme"),
    "names another host": (_writes("X-Forwarded-Host", "inside"), "host"),
    "lets identity through": (_lets_through("Remote-User"), "identity headers"),
    "lets an alias through": (_lets_through("Remote_User"), "identity headers"),
    "lets clients number requests": (_lets_through("X-Request-Id"), "request id"),
}


@contextlib.asynccontextmanager
async def _before(port: int, spoil: Fault | None = None, *, hides: bool = True) -> AsyncIterator[str]:
    """A small proxy before auth, careful but for one fault; its origin."""

    async def handle(request: web.Request) -> web.Response:
        if hides and request.path in through.PRIVATE:
            return web.Response(status=404)
        client = dict(request.headers)
        headers = {name: value for name, value in client.items() if name.lower() not in HOP}
        _careful(headers, client)
        if spoil:
            spoil(headers, client)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}{request.raw_path}", headers=headers, allow_redirects=False) as answer,
        ):
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = serving.bind(0, "a port")
    await web.SockSite(runner, listener).start()
    try:
        yield f"http://localhost:{listener.getsockname()[1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _auth(database: Databases, **changed: Any) -> AsyncIterator[tuple[int, AuthSettings]]:
    door = serving.bind(0, "a port")
    port = door.getsockname()[1]
    settings = house.settings(database, port).model_copy(update=changed)
    app = create_app(settings)
    async with serving.lifespan(app), serving.serving(serving.Site(app, door)):
        yield port, settings


async def _looked(origin: str, settings: AuthSettings) -> dict[str, Found]:
    async with probing.session() as http:
        found = await through.look(probing.Prober(http, origin, probe_key(settings)), settings)
    return {one.check: one for one in found}


async def test_a_careful_proxy_is_fine(database: Databases) -> None:
    async with _auth(database) as (port, settings), _before(port) as origin:
        found = await _looked(origin, settings)
    wrong = {one.check: one.saw for one in found.values() if one.state is not State.FINE}
    assert wrong == {"console": "/admin/ answers 404"}  # there is none here
    assert "198.51.100.4" in found["client address"].saw


async def test_each_planted_fault_is_named(database: Databases) -> None:
    async with _auth(database) as (port, settings):
        for name, (spoil, check) in FAULTS.items():
            async with _before(port, spoil) as origin:
                found = await _looked(origin, settings)
            faults = {one.check for one in found.values() if one.state is State.FAULT} - {"console"}
            assert faults == {check}, name
            assert found[check].remedy


async def test_what_is_open_to_everybody_is_named(database: Databases) -> None:
    async with _auth(database) as (port, settings), _before(port, hides=False) as origin:
        found = await _looked(origin, settings)
    assert found["inner addresses"].state is State.FAULT
    assert "/readyz" in found["inner addresses"].saw


async def test_a_proxy_that_is_not_trusted_is_named_with_what_to_write(database: Databases) -> None:
    async with _auth(database, trusted_proxies=()) as (port, settings), _before(port) as origin:
        found = await _looked(origin, settings)
    assert found["trusted proxies"].state is State.FAULT
    assert "OSTIARY_TRUSTED_PROXIES=127.0.0.1" in found["trusted proxies"].remedy


async def test_an_address_that_leads_elsewhere_is_one_sentence(database: Databases) -> None:
    async with _auth(database) as (port, settings):
        stranger = settings.model_copy(update={"secret_key": (SecretStr("another-7c1e9b3d5f8a2046e8c0"),)})
        assert (await _looked(f"http://localhost:{port}", stranger))["reached"].state is State.FAULT
        alone = await _looked(f"http://localhost:{port}", settings)
        assert alone["proxy"].state is State.WARNING
    assert "cannot be reached" in (await _looked("http://localhost:1", settings))["reached"].saw


@pytest.mark.proxy
@pytest.mark.parametrize("kind", KINDS)
async def test_the_shipped_proxies_are_fine(kind: str, database: Databases, admin_sessions: Sessions) -> None:
    async with house.intranet(kind, database, admin_sessions) as running, probing.session() as http:
        settings = house.settings(database, int(running.public_url.rpartition(":")[2]))
        prober = probing.Prober(http, f"http://{running.host}", probe_key(settings))
        found = await site.look(prober, f"http://{running.host}/editor/", settings)
    wrong = {one.check: (one.saw, one.remedy) for one in found if one.state is State.FAULT}
    assert wrong == {}
    assert {"site", "sign-in page", "programs", "identity headers"} <= {one.check for one in found}


async def test_a_site_that_asks_nobody_is_named(database: Databases) -> None:
    async with _auth(database) as (port, settings), _before(port) as origin, probing.session() as http:
        found = await site.look(probing.Prober(http, origin, probe_key(settings)), f"{origin}/login", settings)
    assert {one.check: one.state for one in found}["site"] is State.WARNING


async def test_the_database_is_looked_at(database: Databases) -> None:
    found = {one.check: one for one in await database_checkup.look(database.owner)}
    assert found["schema"].state is State.FINE
    assert "claim-link" in found["administrator"].remedy
    assert found["outbox"].state is State.FINE
    [gone] = await database_checkup.look("postgresql://nobody@127.0.0.1:1/x")
    assert gone.state is State.FAULT


async def test_a_mail_server_that_is_away_or_unprotected_is_named(auth_settings: AuthSettings) -> None:
    away = auth_settings.model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:1")})
    [found] = await mail_checkup.look(away)
    assert found.state is State.FAULT
    assert "127.0.0.1:1" in found.saw


async def test_the_command_says_it_all_and_exits_with_1(database: Databases) -> None:
    async with _auth(database) as (port, _), _before(port) as origin:
        environment = {
            "OSTIARY_DATABASE_URL": database.owner, "OSTIARY_PUBLIC_URL": origin, "OSTIARY_MAIL_FROM": "a@example.test",
            "OSTIARY_SECRET_KEY": AUTH_SECRET, "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        }  # fmt: skip

        def run(*arguments: str, **changed: str | None) -> Any:
            return CliRunner().invoke(group, ["doctor", *arguments], env={**environment, **changed})

        done = await asyncio.to_thread(run, "--json", "--through", origin)
        words = await asyncio.to_thread(run, "--through", origin)
        unset = await asyncio.to_thread(run, OSTIARY_MAIL_FROM=None)
        wrong = await asyncio.to_thread(run, "--through", "login.example.org")
    found = {one["check"]: one["state"] for one in json.loads(done.stdout)}
    assert (done.exit_code, found["mail server"], found["client address"]) == (1, "fault", "fine")
    assert "✗ mail server:" in words.output
    assert (unset.exit_code, "OSTIARY_MAIL_FROM" in unset.output) == (1, True)
    assert (wrong.exit_code, "https://login.example.org" in wrong.output) == (2, True)
