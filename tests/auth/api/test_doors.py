"""The JSON doors: the contract of each, and clear answers to everything that is not it."""

from typing import Any

import pytest
from quart import Response

from ostiary_auth import limits
from ostiary_auth.flows import deny
from ostiary_auth.tools import Desk
from ostiary_shared import clock
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.browser import Client, cookies
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG, Mailed


async def _post(auth: Client, path: str, **body: Any) -> Response:
    return await auth.post(f"/api/v1/{path}", json=body)


async def _from(auth: Client, network: str, path: str, **body: Any) -> Response:
    return await auth.post(f"/api/v1/{path}", json=body, scope_base={"client": (network, 1)})


async def _token(auth: Client, email: str = ADA, password: str = PASSWORD) -> dict[str, str]:
    answer = await auth.app.test_client().post(
        "/api/v1/login", json={"email": email, "password": password, "token": True}
    )
    return {"Authorization": f"Bearer {(await answer.get_json())['token']}"}


async def test_signing_in_answers_with_the_session_and_the_token_only_when_asked(auth: Client, desk: Desk) -> None:
    user = await people.person(desk, role="support")
    answer = await _post(auth, "login", email=ADA, password=PASSWORD, remember=True)
    entered = await answer.get_json()
    assert answer.status_code == 200
    assert "Max-Age" in cookies(answer)["ostiary"]
    assert set(entered) == {"user", "session"}
    assert entered["user"] | {"permissions": []} == {
        "id": str(user.id),
        "email": ADA,
        "name": "Ada",
        "roles": ["support"],
        "permissions": [],
    }
    assert set(entered["session"]) == {"id", "assurance", "methods", "created_at", "authenticated_at", "expires_at"}
    assert await (await auth.get("/api/v1/session")).get_json() == entered
    more = await (await _post(auth, "login", email=ADA, password=PASSWORD, token=True)).get_json()
    assert more["token"].startswith("os_")


async def test_refusals_are_one_problem_for_all_with_a_reference_that_tells_nothing(
    auth: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)  # the reference holds the time, and packs it
    await people.person(desk)
    await people.person(desk, "bob@example.test", confirmed=False)
    seen = []
    for email in (ADA, "bob@example.test", "eve@example.test"):
        answer = await _post(auth, "login", email=email, password=WRONG)
        problem = await answer.get_json()
        async with desk.begin() as work:
            kept = await deny.find(work, problem["reference"])
        assert kept is not None
        assert kept.email == ""
        seen.append((answer.status_code, answer.mimetype, len(problem.pop("reference")), problem, kept.decision))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][:2] == (401, "application/problem+json")
    assert seen[0][3]["code"] == "wrong_credentials"


async def test_an_unconfirmed_account_has_a_code_of_its_own(auth: Client) -> None:
    assert (await _post(auth, "signup", email=ADA, password=PASSWORD, name="Ada")).status_code == 202
    answer = await _post(auth, "login", email=ADA, password=PASSWORD)
    problem = await answer.get_json()
    assert (answer.status_code, problem["code"]) == (403, "email_not_confirmed")
    assert problem["reference"]


async def test_strangers_are_told_401_with_a_reference(auth: Client, desk: Desk) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer os_" + "a" * 55},
        {"Authorization": "Basic eDp5"},
        {"Cookie": "ostiary=x"},
    ):
        answer = await auth.get("/api/v1/session", headers=headers)
        problem = await answer.get_json()
        assert answer.status_code == 401
        assert problem["reference"]
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert await people.count(desk, "denials") == 0


async def test_signing_up_confirming_and_recovering_by_json(auth: Client, desk: Desk) -> None:
    for path in ("signup", "signup/resend", "recover"):
        body = {"password": PASSWORD} if path == "signup" else {}
        assert (await _from(auth, "192.0.2.7", path, email=ADA, **body)).status_code == 202
    mail = (await people.rows(desk, "SELECT user_id, subject FROM messages ORDER BY created_at"))[0]
    link, _ = await people.sent(desk, Purpose.CONFIRM, Mailed(mail.user_id, ADA, mail.subject))
    assert (await _from(auth, "192.0.2.7", "signup/confirm", token=link.token)).status_code == 200
    assert (await _post(auth, "signup/confirm", token=link.token)).status_code == 200
    dead = await _post(auth, "signup/confirm", email=ADA, code="NONSENSE")
    assert (dead.status_code, (await dead.get_json())["code"]) == (410, "link_dead")
    _, code = await people.sent(desk, Purpose.RECOVER, Mailed(mail.user_id))
    assert (await _post(auth, "login", email=ADA, password=PASSWORD)).status_code == 200
    renewed = await _post(auth, "recover/reset", email=ADA, code=code.code, password=OTHER)
    assert (renewed.status_code, (await renewed.get_json())["receipt"]["lapsed"]) == (200, [])
    assert (await _post(auth, "recover/reset", email=ADA, code=code.code, password=OTHER)).status_code == 410
    assert (await _post(auth, "login", email=ADA, password=OTHER)).status_code == 200


async def test_from_another_network_a_confirmation_takes_a_password_and_until_then_stays_good(
    auth: Client, desk: Desk
) -> None:
    await _from(auth, "198.51.100.9", "signup", email=ADA, password=PASSWORD, name="Eve")
    mail = (await people.rows(desk, "SELECT user_id, subject FROM messages"))[0]
    link, code = await people.sent(desk, Purpose.CONFIRM, Mailed(mail.user_id, ADA, mail.subject))
    proofs: list[dict[str, str]] = [{"token": link.token}, {"email": ADA, "code": code.code}]
    for proof in proofs:
        asked = await _from(auth, "192.0.2.7", "signup/confirm", **proof)
        assert asked.status_code == 422
        assert [error["field"] for error in (await asked.get_json())["errors"]] == ["password"]
    done = await _from(auth, "192.0.2.7", "signup/confirm", **proofs[1], password=OTHER)
    assert done.status_code == 200
    assert "ostiary-device" in cookies(done)
    assert (await _post(auth, "login", email=ADA, password=PASSWORD)).status_code == 401
    entered = await _post(auth, "login", email=ADA, password=OTHER)
    assert (await entered.get_json())["user"]["name"] == ""


@pytest.mark.parametrize("name", ["remember", "token"])
async def test_what_is_no_boolean_is_not_taken_for_one(auth: Client, desk: Desk, name: str) -> None:
    await people.person(desk)
    for wrong in ("yes", "true", "1", 1, None):
        answer = await _post(auth, "login", email=ADA, password=PASSWORD, **{name: wrong})
        assert answer.status_code == 422, wrong
        assert [error["field"] for error in (await answer.get_json())["errors"]] == [name]
    assert await people.count(desk, "sessions") == 0


async def test_an_invitation_is_accepted_by_json(auth: Client, desk: Desk) -> None:
    user = await people.person(desk, password=None, confirmed=False)
    link, _ = await people.sent(desk, Purpose.INVITE, Mailed(user.id))
    assert (await _post(auth, "invitation", token=link.token, password=OTHER)).status_code == 200
    assert (await _post(auth, "login", email=ADA, password=OTHER)).status_code == 200


async def test_ones_own_account_by_json(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    bearer = await _token(auth)
    assert (await (await auth.get("/api/v1/account", headers=bearer)).get_json())["email"] == ADA
    renamed = await auth.patch("/api/v1/account", json={"name": "Countess"}, headers=bearer)
    assert (await renamed.get_json())["name"] == "Countess"
    wrong = await auth.post(
        "/api/v1/account/email", json={"email": "n@x.test", "current_password": WRONG}, headers=bearer
    )
    assert (await wrong.get_json())["errors"][0]["field"] == "current_password"
    asked = await auth.post(
        "/api/v1/account/email", json={"email": "n@x.test", "current_password": PASSWORD}, headers=bearer
    )
    assert asked.status_code == 202
    (user,) = await people.rows(desk, "SELECT id FROM users")
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, "n@x.test"))
    moved = await _post(auth, "account/email/confirm", token=link.token)
    assert (moved.status_code, (await moved.get_json())["receipt"]["lapsed"]) == (200, [])
    assert (await _post(auth, "account/email/confirm", token=link.token)).status_code == 410


async def test_a_changed_password_gives_a_bearer_its_new_token_and_a_browser_its_cookie(
    auth: Client, desk: Desk
) -> None:
    await people.person(desk)
    bearer = await _token(auth)
    body = {"current_password": PASSWORD, "password": OTHER}
    wrong = await auth.post("/api/v1/account/password", json={**body, "current_password": WRONG}, headers=bearer)
    assert wrong.status_code == 422
    answer = await auth.post("/api/v1/account/password", json=body, headers=bearer)
    changed = await answer.get_json()
    assert (changed["ended"], cookies(answer)) == (0, {})
    fresh = {"Authorization": f"Bearer {changed['token']}"}
    assert (await auth.get("/api/v1/session", headers=fresh)).status_code == 200
    await _post(auth, "login", email=ADA, password=OTHER)
    again = await _post(auth, "account/password", current_password=OTHER, password=PASSWORD)
    told = await again.get_json()
    assert (told["ended"], told["receipt"]["acknowledged"]) == (1, [])
    assert "ostiary" in cookies(again)


async def test_ones_own_sessions_by_json(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    bearer, other = await _token(auth), await _token(auth)
    listed = (await (await auth.get("/api/v1/account/sessions", headers=bearer)).get_json())["sessions"]
    assert [one["current"] for one in listed] == [True, False]
    path = f"/api/v1/account/sessions/{listed[1]['id']}"
    assert (await auth.delete(path, headers=bearer)).status_code == 200
    assert (await auth.delete(path, headers=bearer)).status_code == 404
    assert (await auth.get("/api/v1/session", headers=other)).status_code == 401
    await _token(auth)
    ended = await (await auth.delete("/api/v1/account/sessions", headers=bearer)).get_json()
    assert (ended["ended"], set(ended["receipt"])) == (1, {"milliseconds", "acknowledged", "lapsed"})
    assert await (await auth.delete("/api/v1/account/sessions", headers=bearer)).get_json() == {
        "ended": 0,
        "receipt": None,
    }
    assert (await auth.post("/api/v1/logout", headers=bearer)).status_code == 204
    assert (await auth.get("/api/v1/session", headers=bearer)).status_code == 401


async def test_asking_who_somebody_was_is_answered_with_a_code_and_fills_no_list(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    bearer = await _token(auth)
    assert (await auth.post("/api/v1/logout", headers=bearer)).status_code == 204
    asked = await auth.get("/api/v1/session", headers=bearer)
    assert (asked.status_code, (await asked.get_json())["reference"][:2]) == (401, "s-")
    assert await people.count(desk, "denials") == 0
    assert (await auth.get("/api/v1/account", headers=bearer)).status_code == 401
    assert await people.count(desk, "denials") == 1


async def test_the_console_sets_passwords_within_its_callers_reach(auth: Client, desk: Desk) -> None:
    user, root = await people.person(desk), await people.person(desk, "root@example.test", role="admin")
    path, mine = f"/api/v1/users/{user.id}/password", await _token(auth, "root@example.test")
    theirs = await _token(auth)
    assert (await auth.put(path, json={"password": OTHER})).status_code == 401
    refused = await auth.put(f"/api/v1/users/{root.id}/password", json={"password": OTHER}, headers=theirs)
    assert (refused.status_code, (await refused.get_json())["code"]) == (403, "forbidden")
    assert (await refused.get_json())["reference"]
    bad = await auth.put(path, json={"password": "short"}, headers=mine)
    assert (bad.status_code, (await bad.get_json())["errors"][0]["field"]) == (422, "password")
    assert (
        await auth.put(
            "/api/v1/users/00000000-0000-7000-8000-000000000000/password", json={"password": OTHER}, headers=mine
        )
    ).status_code == 404
    done = await auth.put(path, json={"password": OTHER}, headers=mine)
    assert (done.status_code, (await done.get_json())["receipt"]["lapsed"]) == (200, [])
    assert (await auth.get("/api/v1/session", headers=theirs)).status_code == 401
    assert (await auth.get("/api/v1/session", headers=mine)).status_code == 200


POSTS = [
    "login",
    "signup",
    "signup/confirm",
    "signup/resend",
    "recover",
    "recover/reset",
    "invitation",
    "account/email/confirm",
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b'{"email": "a@b.test", "password": "x", "shoe_size": 46}', "application/json", 422),
        (b'{"email": ["a@b.test"], "password": {"a": 1}, "token": 7}', "application/json", 422),
        (
            b'{"email": "a\\u0000@b.test", "password": "a\\u0000b", "code": "\\u0000", "token": "\\u0000"}',
            "application/json",
            422,
        ),
        (
            b'{"email": "a\\ud800@b.test", "password": "a\\ud800b", "code": "\\ud800", "token": "\\ud800"}',
            "application/json",
            422,
        ),
        (b'{"\\ud800": 1}', "application/json", 422),
        (b'{"email": "a\xff"}', "application/json", 400),
        (b'{"email": ', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 20000, "application/json", 400),
        (b"email=a%40b.test", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b'{"password": "' + b"x" * 1024 * 1024 + b'"}', "application/json", 413),
        (b'{"email": "a@b.test", "code": "c", "password": "' + b"x" * 1025 + b'"}', "application/json", 422),
    ],
)
async def test_bad_bodies_are_clear_problems(auth: Client, path: str, data: bytes, kind: str, status: int) -> None:
    answer = await auth.post(f"/api/v1/{path}", data=data, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    problem = await answer.get_json()
    assert {"title", "status", "code", "detail"} <= set(problem)
    if b"shoe_size" in data:
        assert "shoe_size" in [error["field"] for error in problem["errors"]]


async def test_no_program_in_a_browser_of_another_site_gets_in(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
        answer = await auth.post("/api/v1/login", json={"email": ADA, "password": PASSWORD}, headers=headers)
        assert (answer.status_code, (await answer.get_json())["code"]) == (403, "cross_site")


async def test_pages_and_programs_share_one_count(auth: Client) -> None:
    for number in range(limits.PASSWORD_GUESSES.count):
        if number % 2:
            await _post(auth, "login", email="no@example.test", password=WRONG)
        else:
            await auth.post("/login", form={"email": "NO@example.test", "password": WRONG})
    answer = await _post(auth, "login", email="no@example.test", password=WRONG)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_every_door_stands_in_the_open_document_with_its_types(auth: Client) -> None:
    document = await (await auth.get("/openapi.json")).get_json()
    for path, methods in {
        "/login": ["post"],
        "/logout": ["post"],
        "/session": ["get"],
        "/signup": ["post"],
        "/signup/confirm": ["post"],
        "/signup/resend": ["post"],
        "/recover": ["post"],
        "/recover/reset": ["post"],
        "/account": ["get", "patch"],
        "/account/password": ["post"],
        "/account/email": ["post"],
        "/account/email/confirm": ["post"],
        "/account/sessions": ["get", "delete"],
        "/account/sessions/{session_id}": ["delete"],
        "/users/{user_id}/password": ["put"],
    }.items():
        for method in methods:
            entry = document["paths"][f"/api/v1{path}"][method]
            assert entry["summary"]
            assert any(code.startswith("2") for code in entry["responses"])
            if method in {"post", "put", "patch"} and path != "/logout":
                assert "application/json" in entry["requestBody"]["content"]
