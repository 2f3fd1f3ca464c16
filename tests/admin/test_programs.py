# ruff: noqa: F401, F811 - the fixtures of the wire
"""People's programs at the console: never more than their tokens say, over the real wire to the real auth service."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from quart.typing import TestClientProtocol as Browser

from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.store import api_tokens
from tests.admin.test_wire import RealAuth, browser, real_auth
from tests.make import Person, make_person

USERS = "/admin/api/v1/users"


async def program(sessions: Sessions, tools: AuthTools, owner: Person, *scopes: str) -> dict[str, str]:
    """The header of a program of this person's."""
    token = tokens.mint(tokens.PERSONAL, tools.personal_key)
    async with sessions.begin() as session:
        at = clock.now()
        wanted = api_tokens.Wanted(owner.id, "Backup", token.digest, scopes, at + timedelta(days=1))
        await api_tokens.add(session, wanted, at)
    return {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}


@pytest.fixture
async def ada(sessions: Sessions, tools: AuthTools) -> Person:
    return await make_person(sessions, tools, holds=("admin",))


@pytest.fixture
async def bob(sessions: Sessions, tools: AuthTools) -> Person:
    return await make_person(sessions, tools, "bob@example.test")


async def status(browser: Browser, method: str, path: str, headers: dict[str, str], **body: Any) -> int:
    answer = await getattr(browser, method)(path, headers=headers, **body)
    return int(answer.status_code)


async def test_a_token_reads_what_its_scopes_say_and_nothing_else(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person
) -> None:
    reader = await program(sessions, tools, ada, "role:admin", "users:read")
    assert await status(browser, "get", USERS, reader) == 200
    for path in ("/admin/api/v1/roles", "/admin/api/v1/audit", "/admin/api/v1/sites", f"{USERS}/{ada.id}/tokens"):
        assert await status(browser, "get", path, reader) == 403, path
    assert await status(browser, "post", f"{USERS}/{ada.id}/lock", reader, json={"reason": "x"}) == 403
    for scopes in ((), ("role:admin",)):
        assert await status(browser, "get", USERS, await program(sessions, tools, ada, *scopes)) == 403


async def test_what_a_token_may_give_away_is_what_it_has_not_what_its_owner_has(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person, bob: Person
) -> None:
    giver = await program(sessions, tools, ada, "role:admin", "users:read", "grants:write", "roles:read", "roles:write")
    grants = "/admin/api/v1/grants"
    for role, expected in (("admin", 403), ("support", 403), ("end-user", 200)):
        gift = {"user": str(bob.id), "role": role, "reason": "because"}
        assert await status(browser, "post", grants, giver, json=gift) == expected, role
    wanted = {"name": "mighty", "permissions": ["sessions:end"]}
    assert await status(browser, "post", "/admin/api/v1/roles", giver, json=wanted) == 403
    assert await status(browser, "post", "/admin/api/v1/roles", ada.bearer, json=wanted) == 201
    gift = {"user": str(bob.id), "role": "support", "reason": "because"}
    assert await status(browser, "post", grants, ada.bearer, json=gift) == 201


async def test_a_token_does_not_act_on_somebody_above_it(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person
) -> None:
    eve = await make_person(sessions, tools, "eve@example.test", holds=("support",))
    locker = await program(sessions, tools, ada, "role:admin", "users:lock", "users:read")
    lock = f"{USERS}/{eve.id}/lock"
    refused = await browser.post(lock, headers=locker, json={"reason": "because"})
    assert refused.status_code == 403
    assert "above what this token is given" in (await refused.get_json())["detail"]
    assert await status(browser, "post", lock, ada.bearer, json={"reason": "because"}) == 200


async def test_pages_and_whatever_auth_would_do_for_a_person_are_shut_to_programs(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person, bob: Person
) -> None:
    scopes = ("users:read", "users:update", "users:set-password", "services:write", "services:read", "denials:read")
    mighty = await program(sessions, tools, ada, "role:admin", *scopes)
    for path in ("/admin", "/admin/users", "/admin/services", f"/admin/users/{bob.id}"):
        assert await status(browser, "get", path, mighty) == 401, path
    password = {"password": "copper kettle meadow 77"}
    told = await browser.patch(f"{USERS}/{bob.id}", headers=mighty, json=password)
    assert (told.status_code, (await told.get_json())["code"]) == (403, "session_needed")
    assert await status(browser, "post", "/admin/api/v1/service-clients", mighty, json={"name": "x"}) == 403
    assert await status(browser, "get", "/admin/api/v1/service-clients", mighty) == 200
    assert await status(browser, "get", "/admin/api/v1/denials/ABCD-EFGH", mighty) == 403


async def test_the_audit_log_tells_which_token_acted(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person
) -> None:
    maker = await program(sessions, tools, ada, "role:admin", "roles:read", "roles:write")
    for who, role in ((maker, "by-token"), (ada.bearer, "by-hand")):
        assert await status(browser, "post", "/admin/api/v1/roles", who, json={"name": role}) == 201

    async def found(actor: str) -> dict[str, Any]:
        log = await browser.get(f"/admin/api/v1/audit?event=admin:role:created&actor={actor}", headers=ada.bearer)
        return {row["target"]: row for row in (await log.get_json())["items"]}

    listed = await (await browser.get(f"{USERS}/{ada.id}/tokens", headers=ada.bearer)).get_json()
    token = {"id": listed["items"][0]["id"], "name": "Backup"}
    everything = await found(str(ada.id))
    assert {name: (row["actor"], row["token"]) for name, row in everything.items()} == {
        "by-token": ("ada@example.test", token), "by-hand": ("ada@example.test", None),
    }  # fmt: skip
    for asked in (token["id"], token["id"].upper(), "backup"):
        assert set(await found(asked)) == {"by-token"}, asked
    page = await browser.get(f"/admin/audit?actor={token['id']}", headers={**ada.bearer, "Accept": "text/html"})
    assert f"ada@example.test</a> (API token {token['name']}) made the role" in (await page.get_data(as_text=True))
    person = await browser.get(f"/admin/users/{ada.id}", headers={**ada.bearer, "Accept": "text/html"})
    assert f"/admin/audit?actor={token['id']}" in (await person.get_data(as_text=True))


async def test_it_stops_at_once_when_it_is_revoked_or_its_owner_is_shut_out(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person, bob: Person
) -> None:
    mine = await program(sessions, tools, bob)
    session = "/admin/api/v1/users"
    assert await status(browser, "get", session, mine) == 403
    listed = await (await browser.get(f"{USERS}/{bob.id}/tokens", headers=ada.bearer)).get_json()
    [found] = listed["items"]
    assert (found["name"], found["scopes"], listed["next"]) == ("Backup", [], None)
    assert set(found) == {"id", "name", "scopes", "created_at", "expires_at", "last_used_at"}
    one = f"{USERS}/{bob.id}/tokens/{found['id']}"
    for changed in (True, False):
        body = await (await browser.delete(one, headers=ada.bearer)).get_json()
        assert body["changed"] is changed
    assert await status(browser, "get", session, mine) == 401
    for act in ("lock", "delete"):
        again = await program(sessions, tools, bob)
        assert await status(browser, "get", session, again) == 403
        if act == "lock":
            await browser.post(f"{USERS}/{bob.id}/lock", headers=ada.bearer, json={"reason": "because"})
            await browser.post(f"{USERS}/{bob.id}/unlock", headers=ada.bearer)
        else:
            assert await status(browser, "delete", f"{USERS}/{bob.id}?reason=because", ada.bearer) == 200
        assert await status(browser, "get", session, again) == 401, act


async def test_all_of_somebodys_tokens_are_revoked_with_one_button(
    browser: Browser, sessions: Sessions, tools: AuthTools, ada: Person, bob: Person
) -> None:
    for _ in range(3):
        await program(sessions, tools, bob)
    page = await (await browser.get(f"/admin/users/{bob.id}", headers={**ada.bearer, "Accept": "text/html"})).get_data()
    assert b"Revoke all" in page
    body = await (await browser.delete(f"{USERS}/{bob.id}/tokens", headers=ada.bearer)).get_json()
    assert (body["revoked"], body["receipt"]["lapsed"]) == (3, [])
    assert await status(browser, "post", f"/admin/users/{bob.id}/tokens/revoke", ada.bearer) == 303
    page = await (await browser.get(f"/admin/users/{bob.id}", headers={**ada.bearer, "Accept": "text/html"})).get_data()
    assert b"Revoke all" not in page
    assert await status(browser, "get", f"{USERS}/{UUID(int=1)}/tokens", ada.bearer) == 404


async def test_a_service_gets_credentials_whose_secret_is_seen_once(
    browser: Browser, real_auth: RealAuth, sessions: Sessions, ada: Person
) -> None:
    where = "/admin/api/v1/service-clients"
    made = await browser.post(where, headers=ada.bearer, json={"name": "Wiki", "scopes": ["read", "write"]})
    body = await made.get_json()
    assert (made.status_code, body["secret"][:3], body["scopes"]) == (201, "oc_", ["read", "write"])
    wrong = await browser.post(where, headers=ada.bearer, json={"name": "Wiki", "scopes": ["two words"]})
    assert (wrong.status_code, (await wrong.get_json())["errors"][0]["field"]) == (422, "scopes")
    listed = await (await browser.get(where, headers=ada.bearer)).get_json()
    assert [item["client_id"] for item in listed["items"]] == [body["client_id"]]
    assert "secret" not in str(listed)
    one = f"{where}/{body['id']}"
    again = await (await browser.post(f"{one}/secret", headers=ada.bearer)).get_json()
    assert again["secret"] != body["secret"]
    for enabled in (False, True):
        for changed in (True, False):
            told = await browser.patch(one, headers=ada.bearer, json={"enabled": enabled})
            assert (await told.get_json())["changed"] is changed
    assert await status(browser, "delete", one, ada.bearer) == 200
    for method, path in (("get", one), ("delete", one), ("post", f"{one}/secret")):
        assert await status(browser, method, path, ada.bearer) == 404
    assert await status(browser, "patch", one, ada.bearer, json={"enabled": True}) == 404


async def test_the_pages_of_services_do_the_same(browser: Browser, ada: Person) -> None:
    form = {**ada.bearer, "Accept": "text/html"}
    made = await browser.post("/admin/services/new", headers=form, form={"name": "Wiki", "scopes": "read  write"})
    page = await made.get_data(as_text=True)
    assert made.status_code == 201
    assert "oc_" in page
    one = page.rpartition('href="/admin/services/')[2].partition('"')[0]
    assert "read write" in await (await browser.get(f"/admin/services/{one}", headers=form)).get_data(as_text=True)
    listed = await (await browser.get("/admin/services", headers=form)).get_data(as_text=True)
    assert "wiki-" in listed
    assert "oc_" not in listed
    empty = await browser.post("/admin/services/new", headers=form, form={"name": "", "scopes": ""})
    assert empty.status_code == 422
    bad = await browser.post("/admin/services/new", headers=form, form={"name": "x", "scopes": 'a"b'})
    assert (bad.status_code, "without spaces" in await bad.get_data(as_text=True)) == (422, True)
    fresh = await browser.post(f"/admin/services/{one}/secret", headers=form)
    assert "oc_" in await fresh.get_data(as_text=True)
    for act in ("off", "off", "on", "delete"):
        assert await status(browser, "post", f"/admin/services/{one}/{act}", form) == 303
    assert await status(browser, "get", f"/admin/services/{one}", form) == 404


async def test_services_are_the_business_of_those_who_may(
    browser: Browser, sessions: Sessions, tools: AuthTools
) -> None:
    low = await make_person(sessions, tools, "low@example.test", holds=("auditor",))
    where = "/admin/api/v1/service-clients"
    assert await status(browser, "get", where, low.bearer) == 200
    assert await status(browser, "post", where, low.bearer, json={"name": "x"}) == 403
    nobody = await make_person(sessions, tools, "no@example.test")
    assert await status(browser, "get", where, nobody.bearer) == 403
