"""Who could open a URL, and what could somebody open: told by page and by JSON, just as the gate would decide."""

import contextlib
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostiary_admin.flows import sites as site_flows
from ostiary_admin.flows.rules import Rule
from ostiary_admin.flows.sites import Wanted
from ostiary_admin.queries import who_could_open
from ostiary_admin.queries.keyset import PAGE_SIZE, Place
from ostiary_admin.tools import AdminWork
from ostiary_shared.access import decide
from ostiary_shared.networks import networks_of
from ostiary_shared.site_rules import Door, as_if_signed_in, demanded
from ostiary_shared.store import roles, users
from tests.admin.conftest import Console, Desk

WHO = "/admin/api/v1/sites/who"
RULES = (
    Rule("/public", (), "anyone"),
    Rule("/office", (), "signed_in", networks=networks_of(["192.0.2.0/24"])),
    Rule("/office", (), "role", "support"),
    Rule("/audit", (), "permission", "audit:read"),
    Rule("/any", (), "any_role", roles=("support", "auditor")),
    Rule("/all", (), "all_roles", roles=("support", "auditor")),
    Rule("/strong", (), "signed_in", assurance=2),
    Rule("/fresh", ("GET",), "signed_in", fresh_minutes=5),
)


@pytest.fixture
async def site(desk: Desk) -> UUID:
    async with desk.acting(UUID(int=1)) as work:
        return await site_flows.create(work, Wanted("Wiki", "*.wiki.test", RULES))


@pytest.fixture
async def crowd(console: Console, desk: Desk) -> dict[str, UUID]:
    """People with one role, both, none, and some who cannot sign in."""
    made = {
        "sue@example.test": await console.person("sue@example.test", "support"),
        "al@example.test": await console.person("al@example.test", "auditor"),
        "both@example.test": await console.person("both@example.test", "support", "auditor"),
        "none@example.test": await console.person("none@example.test"),
        "new@example.test": await console.person("new@example.test", "support", confirmed=False),
        "shut@example.test": await console.person("shut@example.test", "support", "auditor"),
    }
    async with desk.acting(UUID(int=1)) as work:
        await users.change(work.session, made["shut@example.test"], locked_at=work.now)
    return made


async def asked(console: Console, headers: dict[str, str], url: str, **query: str) -> dict[str, Any]:
    answer = await console.client.get(WHO, headers=headers, query_string={"url": url, **query})
    assert answer.status_code == 200, await answer.get_data(as_text=True)
    found: dict[str, Any] = await answer.get_json()
    return found


@pytest.mark.parametrize(
    ("path", "query", "who"),
    [
        ("/office", {}, set()),  # it depends on where they come from
        ("/office", {"address": "192.0.2.9"}, {"al", "both", "none", "sue"}),
        ("/office", {"address": "198.51.100.9"}, {"both", "sue"}),
        ("/audit", {}, {"al", "both"}),
        ("/any", {}, {"al", "both", "sue"}),
        ("/all", {}, {"both"}),
        ("/strong", {}, set()),
        ("/fresh", {}, {"al", "both", "none", "sue"}),
        ("/fresh", {"method": "POST"}, set()),
        ("/public", {}, set()),
        ("/else", {}, set()),
    ],
)
@pytest.mark.usefixtures("site", "crowd")
async def test_everybody_whom_the_deciding_rule_lets_in_is_listed(
    path: str, query: dict[str, str], who: set[str], console: Console
) -> None:
    me = await console.person("me@example.test", "admin")
    found = await asked(console, console.auth.sign_in(me), f"https://a.wiki.test{path}", **query)
    listed = {item["email"].partition("@")[0] for item in found["items"]} - {"me"}
    assert listed == who
    assert found["everybody"] == (path == "/public")
    assert found["depends_on_address"] == (path == "/office" and not query)
    assert found["count"] == len(found["items"])


@pytest.mark.usefixtures("site", "crowd")
async def test_the_answer_names_the_rule_and_by_what_each_would_enter(console: Console) -> None:
    found = await asked(console, await console.enter("auditor", email="me@example.test"), "https://a.wiki.test/all?x=1")
    assert (found["rule"], found["demand"]) == ("rule 6 of Wiki (/all)", "asks for all of the roles support, auditor")
    assert re.fullmatch(r"from the role auditor, granted .*; from the role support, .*", found["items"][0]["why"])
    unknown = await asked(console, await console.enter("auditor"), "https://b.a.wiki.test/")
    assert (unknown["rule"], unknown["demand"]) == ("no site is set up for b.a.wiki.test", "nobody may enter")


async def test_where_it_depends_on_the_address_it_asks_for_one(console: Console, site: UUID) -> None:
    headers = await console.enter("admin")
    for path in (f"/admin/sites/{site}?path=/office", f"/admin/sites/{site}?path=/office&email=admin@example.test"):
        text = await (await console.client.get(path, headers=headers)).get_data(as_text=True)
        assert "It depends on where they come from: " in text
        assert "Add a rule" not in text
    everybody = await console.client.get("/admin/sites/who?url=https://a.wiki.test/office", headers=headers)
    text = await everybody.get_data(as_text=True)
    assert "It depends on where they come from" in text
    assert "Nobody" not in text


async def test_a_rule_with_networks_says_where_others_come_to(console: Console, site: UUID) -> None:
    page = await console.client.get(f"/admin/sites/{site}", headers=await console.enter("admin"))
    text = await page.get_data(as_text=True)
    assert text.count("they come to rule") == text.count("they come to rule 3.") == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"url": "wiki"}, "url"),
        ({"url": "https://a.wiki.test/../x"}, "url"),
        ({"url": "https://a.wiki.test./"}, "url"),
        ({"url": "https://a@a.wiki.test/"}, "url"),
        ({"url": "https://a.wiki.test/", "method": "G<T"}, "method"),
        ({"url": "https://a.wiki.test/", "address": "office"}, "address"),
        ({"url": "https://a.wiki.test/", "after": "xx"}, "after"),
    ],
)
async def test_what_cannot_be_asked_is_said_by_its_field(query: dict[str, str], field: str, console: Console) -> None:
    headers = await console.enter("admin")
    answer = await console.client.get(WHO, headers=headers, query_string=query)
    assert answer.status_code == 422
    assert [error["field"] for error in (await answer.get_json())["errors"]] == [field]
    page = await console.client.get("/admin/sites/who", headers=headers, query_string=query)
    assert page.status_code == 200


@pytest.mark.usefixtures("site")
async def test_many_people_come_page_by_page_each_once(console: Console) -> None:
    headers = await console.enter("admin")
    for number in range(PAGE_SIZE + 3):
        await console.person(f"p{number:03}@example.test")
    found = await asked(console, headers, "https://a.wiki.test/fresh")
    assert (found["count"], len(found["items"])) == (PAGE_SIZE + 4, PAGE_SIZE)
    rest = await asked(console, headers, "https://a.wiki.test/fresh", after=found["next"])
    emails = [item["email"] for item in found["items"] + rest["items"]]
    assert rest["next"] is None
    assert emails == sorted(set(emails))
    assert len(emails) == found["count"]


async def test_the_page_shows_the_answer_with_links_to_the_people(console: Console, site: UUID) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("sue@example.test", "support")
    tried = await console.client.get(f"/admin/sites/{site}?path=/any&method=GET", headers=headers)
    link = re.search(r'href="(/admin/sites/who\?[^"]+)"', await tried.get_data(as_text=True))
    assert link is not None
    text = await (await console.client.get(link[1].replace("&amp;", "&"), headers=headers)).get_data(as_text=True)
    assert "1 person" in text
    assert f'href="/admin/users/{user_id}"' in text
    assert "rule 5 of Wiki (/any): asks for one of the roles support, auditor" in text


async def test_both_questions_take_the_right_to_see_people_and_sites(console: Console, site: UUID) -> None:
    admin = await console.enter("admin")
    user_id = await console.person("sue@example.test", "support")
    headers = admin
    for name, permission in (("site-reader", "sites:read"), ("people-reader", "users:read")):
        body = {"name": name, "permissions": [permission]}
        assert (await console.client.post("/admin/api/v1/roles", headers=admin, json=body)).status_code == 201
        headers = await console.enter(name)
        for path in (f"{WHO}?url=https://a.wiki.test/", "/admin/sites/who", f"/admin/api/v1/users/{user_id}/sites"):
            assert (await console.client.get(path, headers=headers)).status_code == 403, (name, path)
    text = await (await console.client.get(f"/admin/users/{user_id}", headers=headers)).get_data(as_text=True)
    assert "What they could open" not in text
    shown = await console.client.get(
        f"/admin/sites/{site}?path=/any", headers=await console.enter("site-reader", email="s@x.test")
    )
    assert "/admin/sites/who" not in await shown.get_data(as_text=True)


@pytest.mark.usefixtures("site")
async def test_what_somebody_could_open_is_told_rule_by_rule_with_the_reason(
    console: Console, crowd: dict[str, UUID]
) -> None:
    headers = await console.enter("admin")
    answer = await console.client.get(f"/admin/api/v1/users/{crowd['sue@example.test']}/sites", headers=headers)
    [wiki] = (await answer.get_json())["items"]
    assert (wiki["name"], wiki["host"]) == ("Wiki", "*.wiki.test")
    assert [part["open"] for part in wiki["parts"]] == [True, True, True, False, True, False, False, True]
    assert wiki["parts"][1]["rule"]["networks"] == ["192.0.2.0/24"]
    assert wiki["parts"][0]["why"] == "anyone may enter"
    assert wiki["parts"][2]["why"].startswith("Is the role support held? from the role support, granted ")
    audit = wiki["parts"][3]
    assert audit["why"] == "Is the permission audit:read held? holds support"
    assert audit["remedy"] == "Grant sue@example.test a role with the permission audit:read."
    page = await console.client.get(f"/admin/users/{crowd['sue@example.test']}", headers=headers)
    text = await page.get_data(as_text=True)
    assert "What they could open" in text
    assert "Wiki: 5 of 8" in text
    locked = await console.client.get(f"/admin/api/v1/users/{crowd['shut@example.test']}/sites", headers=headers)
    assert sum(part["open"] for part in (await locked.get_json())["items"][0]["parts"]) == 1
    nobody = await console.client.get(f"/admin/api/v1/users/{UUID(int=7)}/sites", headers=headers)
    assert nobody.status_code == 404


ROLE_NAMES = ("support", "auditor", "end-user")
PEOPLE = st.lists(
    st.tuples(st.sets(st.sampled_from(ROLE_NAMES)), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=6
)
ASKING = st.sampled_from(
    [
        Rule("/", (), "signed_in"),
        Rule("/", (), "signed_in", assurance=2),
        Rule("/", (), "role", "support", fresh_minutes=1),
        Rule("/", (), "permission", "users:read"),
        Rule("/", (), "any_role", roles=("support", "auditor")),
        Rule("/", (), "all_roles", roles=("support", "auditor", "end-user")),
    ]
)


async def _add(work: AdminWork, number: int, held: set[str], *, usable: tuple[bool, bool], ends: bool) -> UUID:
    """Somebody with these roles, perhaps unconfirmed or locked, whose grants may just have ended."""
    confirmed, locked = usable
    user = await users.add(work.session, f"p{number}@example.test", "", work.now if confirmed else None)
    assert user is not None
    user.locked_at = work.now if locked else None
    for name in held:
        role = await roles.find(work.session, name)
        assert role is not None
        grant = roles.Grant(user.id, role.id, "test", expires_at=work.now if ends else None)
        await roles.grant(work.session, grant, work.now - timedelta(hours=1))
    return user.id


class Undo(Exception):
    """Ends a transaction without keeping it."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PEOPLE, ASKING)
async def test_it_lists_exactly_those_whom_the_decision_lets_in(
    desk: Desk, people: list[tuple[set[str], bool, bool, bool]], rule: Rule
) -> None:
    """The database finds candidates; nobody may be missed by that, whatever their state."""
    with contextlib.suppress(Undo):
        async with desk.acting(UUID(int=1)) as work:
            await site_flows.create(work, Wanted("Wiki", "wiki.test", (rule,)))
            made = [
                await _add(work, number, held, usable=(confirmed, locked), ends=ends)
                for number, (held, confirmed, locked, ends) in enumerate(people)
            ]
            await work.session.flush()
            answer = await who_could_open.of(work, who_could_open.Wanted("http://wiki.test/"), Place())
            demand = demanded(Door("Wiki", "wiki.test", [rule]), 0)
            accounts = await users.accounts(work.session, made, work.now)
            allowed = [who.id for who in accounts if decide(as_if_signed_in(who, work.now), demand, work.now).allowed]
            assert {visitor.id for visitor in answer.page.items} == set(allowed)
            assert answer.count == len(allowed)
            raise Undo
