"""The internal port: alive whatever is wrong around it, ready or not with the reason, and the figures."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from ostiary import counting, inside, serving
from ostiary.faults import Refusal
from ostiary_admin.auth_client import AuthClient
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared.health import Health
from ostiary_shared.settings import SettingsError
from tests.auth.mail.detour import Detour
from tests.conftest import AUTH_SECRET, Databases

WAIT_SECONDS = 60


def settings(database_url: str, **more: str) -> AuthSettings:
    return AuthSettings.load(
        {
            "OSTIARY_PUBLIC_URL": "http://localhost",
            "OSTIARY_DATABASE_URL": database_url,
            "OSTIARY_SECRET_KEY": AUTH_SECRET,
            "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
            "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
            **more,
        }
    )


async def test_without_a_database_a_service_is_alive_and_says_why_it_is_not_ready(database: Databases) -> None:
    async with asyncio.timeout(WAIT_SECONDS), Detour(settings(database.auth)) as way:
        app, listener = create_app(way.settings), serving.bind(0, "a port")
        at = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            serving.lifespan(app),
            inside.told(inside.health_of(app), listener),
            aiohttp.ClientSession() as http,
        ):
            await _becomes(http, at, 200, memory=True)
            await way.close()
            found = await _becomes(http, at, 503, memory=False)
            assert "The database does not answer" in found["reason"]
            async with http.get(f"{at}/healthz") as answer:
                assert answer.status == 200
            await _figures(http, at)
            await way.open()
            await _becomes(http, at, 200, memory=True)


async def _figures(http: aiohttp.ClientSession, at: str) -> None:
    """Which are taken once a second, and parts looked at every ten."""
    wanted = ('check="database",service="ostiary"} 0.0', "ostiary_lease_held 0.0")
    while True:
        async with http.get(f"{at}/metrics") as answer:
            text = await answer.text()
            assert answer.headers["Content-Type"].startswith("text/plain")
        if all(words in text for words in wanted):
            return
        await asyncio.sleep(0.1)


async def _becomes(http: aiohttp.ClientSession, at: str, status: int, *, memory: bool) -> dict[str, str]:
    while True:
        async with http.get(f"{at}/readyz") as answer:
            found = json.loads(await answer.text())
            if answer.status == status and found["checks"]["memory"]["ok"] is memory:
                return dict(found)
        await asyncio.sleep(0.1)


async def test_what_decides_nothing_is_told_and_leaves_the_service_ready() -> None:
    async def well() -> str:
        return ""

    async def ill() -> str:
        return "Away."

    report = await Health({"database": well}, {"auth": ill}).report()
    assert report.ready
    assert report.to_json() == {
        "status": "ready",
        "checks": {"database": {"ok": True}, "auth": {"ok": False, "reason": "Away."}},
    }
    report = await Health({"database": ill}, {}).report()
    assert (report.ready, report.to_json()["reason"]) == (False, "Away.")


async def test_admin_says_that_auth_is_away_and_what_may_be_wrong() -> None:
    client = AuthClient("http://127.0.0.1:1")
    await client.open()
    assert "Is OSTIARY_AUTH_URL right?" in await client.trouble()
    await client.close()


@pytest.mark.parametrize("place", ["9464", "localhost", ":9464", "0.0.0.0:0", "0.0.0.0:99999", "0.0.0.0:http"])
def test_a_place_that_is_none_stops_the_start_with_a_sentence(place: str) -> None:
    with pytest.raises(SettingsError, match=r"OSTIARY_METRICS_LISTEN cannot be used: must look like 0\.0\.0\.0:9464"):
        settings("postgresql://nobody@/none", OSTIARY_METRICS_LISTEN=place)


def test_a_busy_port_is_named_with_the_setting_that_chooses_another() -> None:
    with serving.bind(0, "a port") as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Refusal, match="OSTIARY_METRICS_LISTEN"):
            inside.bound("ostiary", settings("postgresql://nobody@/none", OSTIARY_METRICS_LISTEN=place))


def test_figures_that_a_killed_process_left_are_cleared_and_those_in_use_are_not(tmp_path: Path) -> None:
    left, used = tmp_path / f"{counting.PREFIX}left", tmp_path / f"{counting.PREFIX}used"
    for folder in (left, used):
        folder.mkdir()
        (folder / counting.LOCK).touch()
    lock = counting._locked(used)
    counting._clear(tmp_path)
    assert (left.exists(), used.exists()) == (False, True)
    assert lock
