"""What a program with a person's token reaches of the auth service: who it is, and nothing else."""

from typing import Any
from urllib.parse import urlencode

import pytest

from ostiary_auth.flows import api_tokens
from ostiary_auth.flows.api_tokens import Made, Wish
from ostiary_auth.tools import Desk
from ostiary_shared.access import Asks
from tests.auth import people
from tests.auth.browser import Client, body, sign_in, words
from tests.auth.people import OTHER, PASSWORD, WRONG
from tests.house.routes import doors

JSON = {"Accept": "application/json"}
TOKENS = "/api/v1/account/tokens"


async def bearer(desk: Desk, *scopes: str) -> dict[str, str]:
    made = await api_tokens.create(desk, await people.identity(desk), Wish("x", scopes, 1), PASSWORD)
    assert isinstance(made, Made)
    return {**JSON, "Authorization": f"Bearer {made.value}"}


async def test_of_all_doors_one_takes_it(auth: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pass_by(*_: object) -> None: ...

    monkeypatch.setattr("ostiary_shared.web.door._count", pass_by)
    await people.person(desk, role="admin")
    headers, entered = await bearer(desk, "role:admin", "denials:read", "services:write", "users:set-password"), []
    client: Any = auth.app.test_client(use_cookies=False)
    for each in doors(auth.app):
        if each.stance.guard.asks is not Asks.ANYONE and each.method != "OPTIONS":
            answer = await client.open(each.path, method=each.method, headers=headers)
            assert answer.status_code in {200, 401}, each
            if answer.status_code == 200:
                entered.append(str(each))
    assert entered == ["GET /api/v1/session", "HEAD /api/v1/session"]


async def test_in_a_cookie_it_is_nothing_and_beside_one_it_goes_first(auth: Client, desk: Desk) -> None:
    await people.person(desk, role="admin")
    headers = await bearer(desk)
    auth.set_cookie("localhost", "ostiary", headers["Authorization"].removeprefix("Bearer "))
    assert (await auth.get("/api/v1/session", headers=JSON)).status_code == 401
    await sign_in(auth)
    assert (await (await auth.get("/api/v1/session", headers=JSON)).get_json())["user"]["roles"] == ["admin"]
    said = await (await auth.get("/api/v1/session", headers=headers)).get_json()
    assert (said["user"]["roles"], said["session"]["methods"]) == ([], ["api_token"])


async def test_a_person_makes_sees_and_revokes_tokens_by_json(auth: Client, desk: Desk) -> None:
    await people.person(desk, role="support")
    await sign_in(auth)
    wish = {"name": "Backup", "scopes": ["role:support", "users:read"], "current_password": PASSWORD}
    made = await auth.post(TOKENS, json=wish)
    told = await made.get_json()
    assert (made.status_code, told["token"][:4], told["scopes"]) == (201, "osp_", wish["scopes"])
    listed = await (await auth.get(TOKENS, headers=JSON)).get_json()
    assert [(one["id"], one["last_used_at"]) for one in listed["tokens"]] == [(told["id"], None)]
    assert told["token"] not in str(listed)
    done = await (await auth.delete(f"{TOKENS}/{told['id']}", headers=JSON)).get_json()
    assert (done["revoked"], done["receipt"]["lapsed"]) == (1, [])
    assert (await auth.delete(f"{TOKENS}/{told['id']}", headers=JSON)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"days": "soon"}, "days"),
        ({"scopes": ["role:admin"]}, "scopes"),
        ({"scopes": "role:support"}, "scopes"),
        ({"scopes": ["x" * 121]}, "scopes.0"),
        ({"current_password": WRONG}, "current_password"),
        ({"current_password": ""}, "current_password"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_is_wrong_with_a_wish_is_named(
    auth: Client, desk: Desk, change: dict[str, object], field: str
) -> None:
    await people.person(desk, role="support")
    await sign_in(auth)
    answer = await auth.post(TOKENS, json={"name": "x", "current_password": PASSWORD, **change})
    assert (answer.status_code, [fault["field"] for fault in (await answer.get_json())["errors"]]) == (422, [field])


async def test_the_page_shows_a_new_token_once_and_keeps_what_was_typed_when_it_was_wrong(
    auth: Client, desk: Desk
) -> None:
    await people.person(desk, role="support")
    await sign_in(auth)
    scopes = [("scopes", "role:support"), ("scopes", "users:read")]
    form = [("name", "Backup"), ("days", "30"), *scopes]
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = urlencode([*form, ("current_password", WRONG)])
    wrong = await auth.post("/account/tokens", headers=kind, data=sent)
    page = await body(wrong)
    assert wrong.status_code == 422
    assert 'value="Backup"' in page
    assert page.count(" checked") == 2
    assert "not your current password" in page
    assert WRONG not in page
    sent = urlencode([*form, ("current_password", PASSWORD)])
    made = await auth.post("/account/tokens", headers=kind, data=sent)
    assert (made.status_code, "osp_" in await body(made)) == (201, True)
    page = await body(await auth.get("/account/tokens"))
    assert "Backup" in page
    assert "osp_" not in page
    one = page.partition("/account/tokens/")[2].partition("/revoke")[0]
    for said in ("“Backup” is revoked", "revoked already"):
        assert (await auth.post(f"/account/tokens/{one}/revoke")).status_code == 303
        assert said in await words(await auth.get("/account/tokens"))


async def test_a_new_password_says_what_it_revoked(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    headers = await bearer(desk)
    await sign_in(auth)
    done = await auth.post("/api/v1/account/password", json={"current_password": PASSWORD, "password": OTHER})
    assert (await done.get_json())["revoked"] == 1
    client = auth.app.test_client(use_cookies=False)
    assert (await client.get("/api/v1/session", headers=headers)).status_code == 401
