"""An assertion that was made before is sent along again only while it says what holds."""

import base64
import json
from ipaddress import ip_network
from typing import Any

from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared.database import Sessions
from ostiary_shared.store import roles
from ostiary_shared.work import Caller, open_work
from tests.auth.fast.doors import Doors, opened
from tests.auth.gate.conftest import HOST, add_site
from tests.make import Person, make_person


async def _said(doors: Doors, person: Person) -> dict[str, Any]:
    asked = [(b"x-forwarded-method", b"GET"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-host", HOST.encode())]
    carried = [(b"x-forwarded-uri", b"/wiki"), (b"authorization", f"Bearer {person.token}".encode())]
    answer = await doors.by_quick_door(b"/gate", [*asked, *carried])
    payload = dict(answer.headers)[b"x-ostiary-assertion"].split(b".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    return claims


async def test_what_a_role_no_longer_permits_is_said_no_more(
    admin_sessions: Sessions, sessions: Sessions, auth_settings: AuthSettings, tools: AuthTools
) -> None:
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    await add_site(admin_sessions)
    person = await make_person(sessions, tools, holds=("auditor",))
    async with opened(settings) as doors:
        assert "users:read" in (await _said(doors, person))["permissions"]
        # Everybody is forgotten, and the first to come back has the first number among the standings again.
        async with open_work(admin_sessions, tools=tools, caller=Caller()) as work:
            role = await roles.find(work.session, "auditor")
            assert role is not None
            await roles.replace_permissions(work.session, role.id, frozenset())
        assert "permissions" not in await _said(doors, person)
