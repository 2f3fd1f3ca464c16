"""What ends by itself, without anybody's doing and so without a notice, ends for who is remembered, too."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network

import asyncpg
import pytest

from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import Sessions
from tests.auth.fast.doors import opened
from tests.auth.gate.conftest import HOST, add_guest, add_site
from tests.conftest import Databases

SOON = timedelta(seconds=1.5)
QUESTION = [
    (b"x-forwarded-method", b"GET"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", HOST.encode()),
]
AGES = """WITH rule AS (UPDATE site_rules SET fresh_minutes = 1)
          UPDATE sessions SET authenticated_at = now() - interval '1 minute' + $1"""
# What is written beforehand, what the person asks for, and what they are told when it is over.
ENDS = {
    "a grant": ("UPDATE role_grants SET expires_at = now() + $1", b"/editor/x", 403),
    "a session": ("UPDATE sessions SET expires_at = now() + $1", b"/wiki", 401),
    "a fresh sign-in": (AGES, b"/wiki", 403),
}


@pytest.mark.parametrize(("statement", "path", "over"), ENDS.values(), ids=ENDS)
async def test_what_ends_by_itself_ends_in_memory(
    statement: str, path: bytes, over: int, database: Databases, sessions: Sessions, admin_sessions: Sessions,
    auth_settings: AuthSettings,
) -> None:  # fmt: skip
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    await add_site(admin_sessions)
    bo = await add_guest(sessions, "bo@example.test", "end-user", "editor")
    asked = [*QUESTION, (b"x-forwarded-uri", path), (b"authorization", f"Bearer {bo.token}".encode())]
    owner = await asyncpg.connect(database.owner)
    try:
        async with opened(settings) as doors:
            await owner.execute(statement, SOON)
            for _ in range(3):  # the later ones from memory
                assert (await doors.by_quick_door(b"/gate/nginx", asked)).status == 200
            await asyncio.sleep(SOON.total_seconds())
            assert (await doors.by_quick_door(b"/gate/nginx", asked)).status == over
    finally:
        await owner.close()
