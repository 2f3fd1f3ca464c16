"""Who opens this? A site's page says which rule decides, and tells every step for a person."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from ostiary_admin.flows import sites as flow
from ostiary_admin.flows.rules import Rule
from ostiary_admin.flows.sites import Wanted
from ostiary_shared import clock
from ostiary_shared.models import Denial
from ostiary_shared.store import sessions
from ostiary_shared.store.sessions import Lifetime, Start
from tests.admin.conftest import Console, Desk

RULES = (
    Rule("/public", (), "anyone"),
    Rule("/editor/", (), "role", "support"),
    Rule("/fresh", (), "signed_in", fresh_minutes=5),
)


@pytest.fixture
async def where(desk: Desk) -> str:
    """The page of a site with three rules."""
    async with desk.acting(UUID(int=1)) as work:
        return f"/admin/sites/{await flow.create(work, Wanted('Wiki', 'wiki.test', RULES))}"


async def tried(console: Console, where: str, *held: str) -> str:
    answer = await console.client.get(where, headers=await console.enter(*held))
    assert answer.status_code == 200
    return await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("path=/public/x", "rule 1 of Wiki (/public): anyone may enter"),
        ("path=/editor/page?old=1&method=post", "rule 2 of Wiki (/editor/): asks for the role support"),
        ("path=/else", "no rule of Wiki covers this address: nobody may enter"),
        ("path=no-slash", "the address does not start with a slash"),
        ("path=/&method=G<T", "Please enter a method such as GET."),
        ("path=/&email=nobody@example.test", "Nobody has this address."),
    ],
)
async def test_it_names_the_rule_that_decides(console: Console, where: str, asked: str, told: str) -> None:
    assert told in await tried(console, f"{where}?{asked}", "admin")


async def test_for_a_person_it_tells_every_step_and_keeps_nothing(console: Console, where: str) -> None:
    await console.person("bo@example.test", "end-user")
    text = await tried(console, f"{where}?path=/editor/&email=bo@example.test", "admin")
    assert "bo@example.test would not be let in." in text
    assert "Is the role support held?" in text
    assert "as if they had just signed in" in text
    assert "Grant support to bo@example.test." in text
    async with console.rows() as session:
        assert await session.scalar(select(Denial.code)) is None


async def test_it_takes_the_session_that_the_person_used_last(console: Console, where: str) -> None:
    """The same answer as `explain`: a sign-in of an hour ago is not fresh, whatever a new one would be."""
    bo = await console.person("bo@example.test")
    assert "bo@example.test would be let in." in await tried(
        console, f"{where}?path=/fresh&email=bo@example.test", "admin"
    )
    hour = timedelta(hours=1)
    async with console.rows.begin() as session:
        start = Start(bo, b"d" * 32, ("password",), 1, Lifetime(3 * hour, 2 * hour), None, "")
        await sessions.start(session, start, clock.now() - hour)
    text = await tried(console, f"{where}?path=/fresh&email=bo@example.test", "auditor", "support")
    assert "bo@example.test would not be let in." in text
    assert "as if they had just signed in" not in text


async def test_without_the_right_to_see_people_nobody_can_be_asked_about(console: Console, where: str) -> None:
    headers = await console.enter("admin", email="boss@example.test")
    made = {"name": "site-reader", "permissions": "sites:read"}
    assert (await console.client.post("/admin/roles/new", headers=headers, form=made)).status_code == 303
    text = await tried(console, f"{where}?path=/editor/&email=boss@example.test", "site-reader")
    assert "asks for the role support" in text
    assert "boss@example.test" not in text
    assert 'name="email"' not in text
