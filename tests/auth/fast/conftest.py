"""Two people at a site, whom both doors remember."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import Sessions
from tests.auth.fast.doors import PROXY, Doors, opened
from tests.auth.gate.conftest import HOST, Guest, add_guest, add_site


@pytest.fixture
async def guests(sessions: Sessions, admin_sessions: Sessions) -> list[Guest]:
    await add_site(admin_sessions)
    return [await add_guest(sessions, f"{name}@example.test", "end-user") for name in ("ada", "bo")]


@pytest.fixture
async def doors(guests: list[Guest], auth_settings: AuthSettings) -> AsyncIterator[Doors]:
    trusting = {"trusted_proxies": (ip_network(f"{PROXY}/32"),)}
    asked = {b"method": b"GET", b"proto": b"https", b"host": HOST.encode(), b"uri": b"/wiki"}
    headers = [(b"host", b"x"), *((b"x-forwarded-" + name, value) for name, value in asked.items())]
    async with opened(auth_settings.model_copy(update=trusting)) as running:
        for guest in guests:
            answer = await running.by_listener(b"/gate", [*headers, (b"cookie", f"ostiary={guest.token}".encode())])
            assert answer.status == 200
        yield running
