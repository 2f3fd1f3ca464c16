"""The console by JSON: the same rules as the pages, problems by name, and no secret in any answer."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from ostiary_shared import clock
from ostiary_shared.models import Message, Password, User
from ostiary_shared.store import messages, passwords, roles
from ostiary_shared.store.sessions import Lifetime, Start, start
from tests.admin.conftest import Console

API = "/admin/api/v1"
CANARY = "$argon2id$canary"
SOMEBODY = UUID(int=99)


async def call(console: Console, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    sent = {"json": body} if body is not None else {}
    answer = await console.client.open(API + path, method=method, headers=headers, **sent)
    return answer.status_code, await answer.get_json()


async def test_people_by_json_from_first_to_last(console: Console) -> None:
    headers = await console.enter("admin")
    status, made = await call(
        console,
        "POST",
        "/users",
        headers,
        {"email": "json@example.test", "name": "J", "roles": ["support"], "invite": True},
    )
    assert status == 201
    assert made["roles"] == ["end-user", "support"] or sorted(made["roles"]) == ["end-user", "support"]
    where = f"/users/{made['id']}"
    assert await call(console, "POST", "/users", headers, {"email": "JSON@example.test"}) == (
        422,
        {
            "type": "about:blank",
            "title": "Something needs another look",
            "status": 422,
            "code": "invalid_input",
            "detail": "Some fields need another look.",
            "errors": [{"field": "email", "message": "There is an account with this address already."}],
        },
    )
    assert (await call(console, "PATCH", where, headers, {"name": "Jo"}))[1]["name"] == "Jo"
    assert (await call(console, "POST", f"{where}/confirm", headers))[1] == {"changed": True}
    assert (await call(console, "POST", f"{where}/confirm", headers))[1] == {"changed": False}
    assert (await call(console, "POST", f"{where}/invite", headers))[0] == 409
    assert (await call(console, "POST", f"{where}/recover", headers))[0] == 202
    assert (await call(console, "POST", f"{where}/lock", headers, {"reason": "why"}))[1]["changed"] is True
    assert (await call(console, "POST", f"{where}/recover", headers))[0] == 409
    assert (await call(console, "POST", f"{where}/unlock", headers))[1] == {"changed": True}
    assert (await call(console, "PATCH", where, headers, {"email": "new@example.test"}))[1][
        "email"
    ] == "new@example.test"
    assert (await call(console, "DELETE", where, headers))[0] == 422
    assert (await call(console, "DELETE", f"{where}?reason=gone", headers))[1]["changed"] is True
    assert (await call(console, "PATCH", where, headers, {"name": "Late"}))[0] == 404
    assert (await call(console, "POST", f"{where}/restore", headers))[1] == {"changed": True}
    _, listed = await call(console, "GET", "/users?q=new@example", headers)
    assert [row["name"] for row in listed["items"]] == ["Jo"]
    _, mails = await call(console, "GET", f"/messages?user={made['id']}", headers)
    # A warning goes to the old address whatever became of the account since; the rest has become pointless.
    assert [(row["kind"], row["state"], row["email"]) for row in mails["items"]] == [
        ("email-changed", "waiting", "json@example.test"),
        ("recover", "dropped", "json@example.test"),
        ("invite", "dropped", "json@example.test"),
    ]


async def test_grants_and_roles_by_json(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = str(await console.person("granted@example.test", "end-user"))
    assert (await call(console, "POST", "/roles", headers, {"name": "editor", "permissions": ["users:read"]}))[0] == 201
    assert (await call(console, "POST", "/roles", headers, {"name": "editor"}))[0] == 422
    for name in ("new", "Editor", "a b", "", "-x", "x" * 51):
        assert (await call(console, "POST", "/roles", headers, {"name": name}))[0] == 422, name
    grant = {"user": user_id, "role": "editor", "reason": "writes"}
    assert await call(console, "POST", "/grants", headers, grant) == (201, {"changed": True, "receipt": None})
    assert await call(console, "POST", "/grants", headers, grant) == (200, {"changed": False, "receipt": None})
    assert (await call(console, "POST", "/grants", headers, {**grant, "until": "2020-01-01T00:00:00Z"}))[0] == 422
    assert (await call(console, "POST", "/grants", headers, {**grant, "role": "nothing"}))[0] == 409
    assert (await call(console, "POST", "/grants", headers, {**grant, "reason": "  "}))[0] == 422
    status, held = await call(console, "DELETE", "/roles/editor", headers)
    assert (status, held["detail"]) == (409, "1 person holds the role editor. Take it away from them first.")
    _, grants = await call(console, "GET", f"/grants?user={user_id}&role=editor", headers)
    assert grants["items"][0]["by"] == "admin@example.test"
    assert (await call(console, "DELETE", f"/grants/{grants['items'][0]['id']}?reason=done", headers))[1]["changed"]
    assert (await call(console, "DELETE", f"/grants/{grants['items'][0]['id']}", headers))[0] == 404
    changed = await call(console, "PUT", "/roles/editor", headers, {"description": "Edits.", "permissions": []})
    assert (changed[1]["description"], changed[1]["permissions"]) == ("Edits.", [])
    assert (await call(console, "DELETE", "/roles/editor", headers))[1]["changed"] is True
    assert (await call(console, "GET", "/roles/editor", headers))[0] == 404
    for name in ("admin", "end-user"):
        status, kept = await call(console, "DELETE", f"/roles/{name}", headers)
        assert (status, kept["detail"]) == (409, f"The role {name} is part of Ostiary and stays.")
    assert (await call(console, "PUT", "/roles/admin", headers, {"permissions": ["users:read"]}))[0] == 409
    _, audit = await call(console, "GET", "/audit?event=admin:role:updated", headers)
    assert audit["items"][0]["before"] == {"description": "", "permissions": ["users:read"]}
    assert audit["items"][0]["after"] == {"description": "Edits.", "permissions": []}


async def test_sites_and_sessions_and_mail_by_json(console: Console) -> None:
    headers = await console.enter("admin")
    rule = {"path_prefix": "/", "asks": "role", "value": "support", "methods": ["GET"]}
    status, site = await call(console, "POST", "/sites", headers, {"name": "W", "host": "w.test", "rules": [rule]})
    assert status == 201
    unasked = {"match": "prefix", "networks": [], "roles": [], "assurance": 1, "fresh_minutes": None}
    assert site["rules"] == [{**rule, **unasked}]
    assert (await call(console, "POST", "/sites", headers, {"name": "W", "host": "w.test"}))[0] == 422
    faulty = await call(
        console,
        "PUT",
        f"/sites/{site['id']}",
        headers,
        {"name": "W", "host": "W.test", "rules": [{**rule, "path_prefix": "x"}]},
    )
    assert [fault["field"] for fault in faulty[1]["errors"]] == ["host", "rules.0.path_prefix"]
    hidden = {"name": "W", "host": "w.test", "rules": [rule, {**rule, "path_prefix": "/editor/"}]}
    status, answer = await call(console, "PUT", f"/sites/{site['id']}", headers, hidden)
    words = "Rule 2 can never match: rule 1 covers it. Give it a smaller number."
    assert (status, answer["errors"]) == (422, [{"field": "rules.1.path_prefix", "message": words}])
    assert (await call(console, "PUT", f"/sites/{site['id']}", headers, {"name": "X", "host": "w.test"}))[1][
        "rules"
    ] == []
    asking = {"name": "X", "host": "w.test", "rules": [{**rule, "value": "asked-for"}]}
    assert (await call(console, "POST", "/roles", headers, {"name": "asked-for"}))[0] == 201
    assert (await call(console, "PUT", f"/sites/{site['id']}", headers, asking))[0] == 200
    status, kept = await call(console, "DELETE", "/roles/asked-for", headers)
    assert (status, "ask for the role asked-for" in kept["detail"]) == (409, True)
    assert (await call(console, "DELETE", f"/sites/{site['id']}", headers))[1]["changed"] is True
    assert (await call(console, "DELETE", "/roles/asked-for", headers))[1]["changed"] is True
    assert (await call(console, "GET", f"/sites/{site['id']}", headers))[0] == 404
    user_id = await console.person("s@example.test", "end-user")
    now = clock.now()
    async with console.rows.begin() as session:
        lifetime = Lifetime(now.replace(year=2100) - now, now.replace(year=2100) - now)
        for number in range(3):
            begun = Start(user_id, bytes([number]) * 32, ("password",), 1, lifetime, "192.0.2.1", "Firefox/1")
            await start(session, begun, now)
        message = await messages.queue(session, messages.Draft(messages.Kind.WELCOME, "s@example.test", user_id), now)
    _, living = await call(console, "GET", f"/sessions?user={user_id}", headers)
    assert [row["ip"] for row in living["items"]] == ["192.0.2.1"] * 3
    one = living["items"][0]["id"]
    assert (await call(console, "DELETE", f"/sessions/{one}", headers))[1]["changed"] is True
    assert (await call(console, "DELETE", f"/sessions/{one}", headers))[1]["changed"] is False
    assert (await call(console, "GET", f"/sessions/{one}", headers))[0] == 404
    assert (await call(console, "DELETE", f"/users/{user_id}/sessions", headers))[1]["ended"] == 2
    assert (await call(console, "POST", f"/messages/{message}/resend", headers))[0] == 409
    async with console.rows.begin() as session:
        row = await session.get(Message, message)
        assert row is not None
        row.failed_at = now
    status, fresh = await call(console, "POST", f"/messages/{message}/resend", headers)
    assert (status, fresh["kind"], fresh["state"]) == (202, "welcome", "waiting")
    assert fresh["id"] != str(message)


@pytest.mark.parametrize("strange", ["id", "password_hash", "confirmed_at", "is_admin", "token", "__class__"])
async def test_unknown_fields_are_named_and_nothing_is_done(console: Console, strange: str) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("mass@example.test", "end-user")
    for method, path, body in (
        ("POST", "/users", {"email": "x@example.test"}),
        ("PATCH", f"/users/{user_id}", {"name": "x"}),
        ("POST", f"/users/{user_id}/lock", {"reason": "x"}),
        ("POST", "/roles", {"name": "x"}),
        ("PUT", "/roles/support", {}),
        ("POST", "/grants", {"user": str(user_id), "role": "admin", "reason": "x"}),
        ("POST", "/sites", {"name": "x", "host": "x"}),
        (
            "POST",
            "/sites",
            {"name": "x", "host": "x.test", "rules": [{"path_prefix": "/", "asks": "anyone", strange: 1}]},
        ),
    ):
        status, answer = await call(
            console, method, path, headers, body if strange in str(body) else {**body, strange: "1"}
        )
        assert status == 422, path
        assert any(fault["field"].endswith(strange) for fault in answer["errors"])
    for path in ("/users", "/grants", "/sessions", "/audit", "/messages", "/denials"):
        assert (await call(console, "GET", f"{path}?{strange}=1", headers))[0] == 422
    async with console.rows() as session:
        user = await session.get(User, user_id)
    assert user is not None
    assert (user.name, user.locked_at) == ("", None)


async def test_no_hash_digest_or_token_is_in_any_answer(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("canary@example.test", "end-user", name="Canary")
    now = clock.now()
    digest = b"digest-canary-digest-canary-0000"
    async with console.rows.begin() as session:
        await passwords.put(session, user_id, CANARY, now)
        lifetime = Lifetime(now.replace(year=2100) - now, now.replace(year=2100) - now)
        await start(session, Start(user_id, digest, ("password",), 1, lifetime, None, ""), now)
        assert await session.scalar(select(Password.hash)) == CANARY
    for rule in console.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint == "assets":
            continue
        path = rule.rule.replace("<uuid:user_id>", str(user_id)).replace("<name>", "admin").replace("<path:code>", "x")
        if "<" in path:
            continue
        text = await (await console.client.get(path, headers=headers)).get_data(as_text=True)
        assert "$argon2" not in text
        assert digest.decode() not in text
        assert digest.hex() not in text
        if "/api/v1/users" in path:
            assert not {"password", "hash", "digest", "token"} & set(text.replace('"', " ").split())


async def test_what_is_not_there_is_404_everywhere(console: Console) -> None:
    headers = await console.enter("admin")
    bodies: list[tuple[str, dict[str, object]]] = [
        ("service-clients", {"enabled": False}),
        ("lock", {"reason": "x"}),
        ("sites", {"name": "x", "host": "x.test"}),
        ("", {"name": "x"}),
    ]
    for rule in console.app.url_map.iter_rules():
        if "<uuid:" not in rule.rule or "/api/" not in rule.rule:
            continue
        path = re.sub(r"<uuid:\w+>", str(SOMEBODY), rule.rule.removeprefix(API))
        method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        if path.endswith("/secret") or (method == "DELETE" and "service-clients" in path):
            continue  # auth does these: tests/admin/test_programs.py has a real one
        body = next(body for word, body in bodies if word in path)
        query = "?reason=x" if method == "DELETE" and path == f"/users/{SOMEBODY}" else ""
        status, answer = await call(console, method, path + query, headers, body if method != "GET" else None)
        assert (status, answer["code"]) == (404, "not_found"), (method, path)


async def test_the_next_cursor_leads_on_and_broken_ones_are_422(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ostiary_admin.queries import keyset

    monkeypatch.setattr(keyset, "PAGE_SIZE", 2)
    headers = await console.enter("admin")
    for number in range(4):
        await console.person(f"c{number}@example.test")
    seen: list[str] = []
    after = ""
    while True:
        _, page = await call(console, "GET", f"/users?after={after}", headers)
        seen += [row["email"] for row in page["items"]]
        after = page["next"] or ""
        if not after:
            break
    assert seen == ["admin@example.test", *(f"c{number}@example.test" for number in range(4))]
    for broken in ("x", "W10", "WyJhIl0", "bnVsbA", "%00", "e30", "WzEsMl0"):
        for path in ("/users", "/audit", "/sessions", "/messages", "/grants", "/denials"):
            assert (await call(console, "GET", f"{path}?after={broken}", headers))[0] == 422, (path, broken)
    async with console.rows() as session:
        assert await roles.find(session, "admin")
