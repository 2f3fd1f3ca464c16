"""What memory must not do for a person's program, though it has all the rights of a session that just passed."""

from datetime import timedelta
from ipaddress import ip_network

from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.store import api_tokens, sites
from tests.auth.fast.doors import Doors, opened
from tests.auth.gate.conftest import HOST
from tests.make import make_person


async def _status(doors: Doors, token: str, uri: bytes) -> int:
    asked = [(b"x-forwarded-method", b"GET"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-host", HOST.encode())]
    carried = [(b"x-forwarded-uri", uri), (b"authorization", f"Bearer {token}".encode())]
    return (await doors.by_quick_door(b"/gate", [*asked, *carried])).status


async def test_a_young_token_is_no_recent_sign_in(
    admin_sessions: Sessions, sessions: Sessions, auth_settings: AuthSettings, tools: AuthTools
) -> None:
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    async with admin_sessions.begin() as session:
        site = Site(name="Wiki", host=HOST)
        session.add(site)
        await session.flush()
        recent = SiteRule(path_prefix="/recent", methods=[], asks="signed_in", value="", fresh_minutes=10)
        anyhow = SiteRule(path_prefix="/", methods=[], asks="signed_in", value="")
        await sites.replace_rules(session, site.id, [recent, anyhow])
    person = await make_person(sessions, tools, holds=("end-user",))
    program, now = tokens.mint(tokens.PERSONAL, tools.personal_key), clock.now()
    async with sessions.begin() as session:
        wanted = api_tokens.Wanted(person.id, "x", program.digest, ("role:end-user",), now + timedelta(days=1))
        await api_tokens.add(session, wanted, now)
    async with opened(settings) as doors:
        assert await _status(doors, person.token, b"/recent") == 200
        assert await _status(doors, program.value, b"/") == 200
        assert await _status(doors, program.value, b"/recent") == 403
