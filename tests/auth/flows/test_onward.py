"""Where somebody goes after signing in: never to a site we do not know."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from ostiary_auth.flows import handover, onward
from ostiary_auth.flows.onward import Onward
from ostiary_auth.flows.place import Place
from ostiary_auth.tools import Desk
from ostiary_shared.database import Sessions


@pytest.mark.parametrize(
    ("domain", "host", "way"),
    [
        ("", "localhost:9000", Onward("http://localhost:9000/x", "http://localhost:9000")),
        (
            "",
            "app.example.test",
            Onward("http://app.example.test/.ostiary/sign-in?next=%2Fx", "http://app.example.test"),
        ),
        ("example.test", "app.example.test", Onward("http://app.example.test/x", "http://app.example.test")),
        (
            "example.test",
            "evil-example.test",
            Onward("http://evil-example.test/.ostiary/sign-in?next=%2Fx", "http://evil-example.test"),
        ),
        ("", "unknown.test", Onward()),
    ],
)
async def test_only_registered_sites_are_gone_to_and_by_their_own_door_where_they_have_one(
    desk: Desk, admin_sessions: Sessions, domain: str, host: str, way: Onward
) -> None:
    async with admin_sessions.begin() as session:
        for known in ("localhost:9000", "app.example.test", "evil-example.test"):
            await session.execute(text("INSERT INTO sites (name, host) VALUES (:host, :host)"), {"host": known})
    tools = replace(desk.tools, settings=desk.tools.settings.model_copy(update={"cookie_domain": domain}))
    async with desk.begin() as work:
        assert await onward.to_site(replace(work, tools=tools), f"http://{host}/x", host) == way


async def test_over_plain_http_a_secure_sign_in_leads_to_no_site(desk: Desk, admin_sessions: Sessions) -> None:
    async with admin_sessions.begin() as session:
        await session.execute(text("INSERT INTO sites (name, host) VALUES ('far', 'far.test')"))
    secure = desk.tools.settings.model_copy(update={"public_url": "https://login.example.org"})
    async with desk.begin() as work:
        there = replace(work, tools=replace(desk.tools, settings=secure))
        assert await onward.to_site(there, "http://far.test/x", "far.test") == Onward(blind="far.test")
        assert (await onward.to_site(there, "https://far.test/x", "far.test")).url.startswith("https://far.test/.ost")
        wanted = handover.Wanted(Place("http", "far.test"), "/", "x")
        assert await handover.way_on(there, wanted.address()) == Onward()
