"""What real processes tell of themselves: figures of two workers together, readiness with reasons, one id everywhere.

And what none of them tells: a secret or an address, at whatever level.
"""

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from ostiary import mails, serving
from ostiary_auth.tools import AuthTools
from ostiary_shared.database import Sessions
from tests import canary
from tests.conftest import Databases
from tests.house.figures import labels, used_in
from tests.house.test_figures import expressions
from tests.make import PASSWORD, make_person
from tests.system.conftest import token_in
from tests.system.observed import Observed, observed, until

IN_LINE = {"timestamp", "level", "event", "service"}
NEW_PASSWORD = "meadow compass violin 77"
NASTY = "\u202e evil\u2028agent"
ID = "from-the-proxy.1"
# There only once something of the kind has happened.
RARE = {
    "ostiary_errors_total", "ostiary_worker_deaths_total", "ostiary_throttle_refusals_total",
    "ostiary_database_timeouts_total",
}  # fmt: skip


@pytest.mark.timeout(400)
async def test_three_services_tell_all_that_is_asked_for_and_nothing_that_is_secret(
    database: Databases, sessions: Sessions, tools: AuthTools, tmp_path: Path
) -> None:
    admin = await make_person(sessions, tools, "root@example.test", holds=("admin", "end-user"))
    smtp, box = serving.bind(0, "a port"), mails.Mailbox()
    async with mails.catching(box, smtp):
        opened = observed(database, tmp_path, smtp.getsockname()[1])
        here = await asyncio.to_thread(opened.__enter__)
        try:
            async with aiohttp.ClientSession(headers={"User-Agent": NASTY}) as http:
                secrets = await _story(here, http, box, admin.bearer)
            await asyncio.to_thread(_figures, here)
            await asyncio.to_thread(_workers, here)
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)
    _lines(here, [*secrets, admin.token])


async def _story(here: Observed, http: aiohttp.ClientSession, box: mails.Mailbox, admin: dict[str, str]) -> list[str]:
    """Somebody signs up, in and out, and an administrator adds a service; all that was secret in it."""
    site, console, ids = f"http://127.0.0.1:{here.auth}", f"http://127.0.0.1:{here.admin}", {"X-Request-Id": ID}
    account = {"email": "ada@example.test", "password": PASSWORD}
    for path in ("/nonsense/ada@example.test%1b[31m%0a{}", "/login?next=/x%0d%0a{}", "/api/v1/session", "/metrics"):
        async with http.get(site + path) as answer:
            assert answer.status in {200, 401, 404}
            assert path != "/metrics" or answer.status == 404
    async with http.post(f"{site}/api/v1/signup", json=account | {"name": "Ada\u202e\x1b[2J"}) as answer:
        assert answer.status == 422
    async with http.post(f"{site}/api/v1/signup", json=account | {"name": "Ada"}, headers=ids) as answer:
        assert (answer.status, answer.headers["X-Request-Id"]) == (202, ID)
    mail = await _mail(box)
    async with http.post(f"{site}/api/v1/signup/confirm", json={"token": token_in(mail)}) as answer:
        assert answer.status == 200, await answer.text()
    token = ""
    for password, status in ((NEW_PASSWORD, 401), (PASSWORD, 200)):
        async with http.post(f"{site}/api/v1/login", json=account | {"password": password, "token": True}) as answer:
            assert answer.status == status
            token = str((await answer.json()).get("token", ""))
    for _ in range(3):
        async with http.get(f"{site}/api/v1/session", headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200
    async with http.post(f"{site}/api/v1/logout", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 204
    services = f"{console}/admin/api/v1/service-clients"
    async with http.post(services, json={"name": "Wiki"}, headers=admin | ids) as answer:
        assert (answer.status, answer.headers["X-Request-Id"]) == (201, ID), await answer.text()
        secret = str((await answer.json())["secret"])
    codes = [
        line.strip()
        for one in box.mails
        for line in one.text.splitlines()
        if re.fullmatch(r"\s*[\dA-Z -]{8,9}\s*", line)
    ]
    return [PASSWORD, NEW_PASSWORD, token, secret, token_in(mail), *codes, *(code.replace("-", "") for code in codes)]


async def _mail(box: mails.Mailbox) -> mails.Mail:
    async with asyncio.timeout(60):
        while not (found := [mail for mail in box.mails if "token=" in mail.text]):  # noqa: ASYNC110 - as in conftest
            await asyncio.sleep(0.05)
    return found[0]


def _figures(here: Observed) -> None:
    """Every figure that an alert or a panel asks for is there; the two workers' are added up."""
    until(lambda: here.figure("auth", "ostiary_lease_held") == 2)
    until(lambda: here.figure("courier", 'ostiary_mails_total{outcome="sent"}') >= 1)
    until(lambda: here.figure("auth", 'ostiary_gate_decisions_total{door="/api/v1/session",outcome="allowed"') >= 4)
    assert here.figure("auth", 'ostiary_sign_ins_total{outcome="signed_in"}') == 1
    assert here.figure("auth", 'ostiary_sign_ins_total{outcome="refused"}') == 1
    assert here.figure("auth", "ostiary_processes") == 2
    assert here.figure("auth", "ostiary_revocation_seconds_count") >= 1
    told = here.series("auth") | here.series("admin") | here.series("courier")
    for where, expression in expressions():
        assert used_in(expression) - RARE <= told, where
    assert {name for name in told if name.startswith("ostiary_")} <= set(labels())
    routes = set(re.findall(r'route="([^"]*)"', here.ask("auth", "/metrics")[1]))
    assert "none" in routes
    assert not any("nonsense" in route for route in routes)
    assert here.ask("auth", "/nowhere")[0] == 404


def _workers(here: Observed) -> None:
    """One that is killed is counted, and what it had in use is gone with it."""
    parent = here.processes["auth"].pid
    before = here.figure("auth", "ostiary_http_request_seconds_count")
    os.kill(min(child.pid for child in psutil.Process(parent).children()), signal.SIGKILL)
    until(lambda: here.figure("auth", "ostiary_worker_deaths_total") == 1)
    until(lambda: here.figure("auth", "ostiary_processes") == 2)
    assert here.figure("auth", "ostiary_http_request_seconds_count") >= before
    here.processes["auth"].send_signal(signal.SIGCONT)
    ready = json.loads(until(lambda: here.ask("admin", "/readyz")[1]))
    assert set(ready["checks"]) >= {"database", "auth"}


def _lines(here: Observed, secrets: list[str]) -> None:
    """Each line is one event in JSON; one id stands in those of auth, admin and the courier."""
    written = here.written()
    for line in written.splitlines():
        assert set(json.loads(line)) >= IN_LINE, line
        canary.look_at(line)  # the fixture around every test tells what it found
    assert [secret for secret in secrets if secret in written] == []
    assert not re.search(r"evil|nonsense|127\.0\.0\.1\"", written)
    assert here.lines("mail", service="courier", outcome="sent", request_id=ID)
    by_admin = here.lines("request", service="admin", request_id=ID)
    assert [line["route"] for line in by_admin] == ["/admin/api/v1/service-clients"]
    by_auth = here.lines("request", service="auth", request_id=ID)
    assert [line["route"] for line in by_auth] == ["/api/v1/signup", "/api/v1/service-clients"]
    assert not here.lines("request", route="/healthz")
    assert not here.lines("request", route="/readyz")
