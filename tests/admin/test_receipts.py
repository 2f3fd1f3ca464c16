"""Whoever takes something away is told since when it counts everywhere: on the page, in JSON, and in the audit log."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ostiary_shared import clock
from ostiary_shared.revocation import Receipt
from ostiary_shared.store.sessions import Lifetime, Start, start
from tests.admin.conftest import Console
from tests.auth.fast.listening import listening
from tests.conftest import Databases

API = "/admin/api/v1"
PAGE = {"Accept": "text/html", "Origin": "http://localhost"}
IN_FORCE = r"In force everywhere after \d+ ms: 2 replicas\."
LIFETIME = Lifetime(timedelta(hours=1), timedelta(hours=1))


@pytest.fixture
async def replicas(console: Console, database: Databases) -> AsyncIterator[None]:
    """Two processes that answer from memory."""
    async with listening(database.auth, "one"), listening(database.auth, "two"):
        yield


async def _sign_in(console: Console, user_id: UUID, mark: int) -> UUID:
    begun = Start(user_id, bytes([mark]) * 32, ("password",), 1, LIFETIME, None, "")
    async with console.rows.begin() as session:
        return (await start(session, begun, clock.now())).id


async def _call(console: Console, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    sent = {"json": body} if body is not None else {}
    answer = await console.client.open(API + path, method=method, headers=headers, **sent)
    assert answer.status_code in {200, 201}, await answer.get_data(as_text=True)
    return await answer.get_json()


async def test_every_act_that_takes_something_away_answers_with_its_receipt(console: Console, replicas: None) -> None:
    headers = await console.enter("admin")
    bo = await console.person("bo@example.test", "end-user")
    one = await _sign_in(console, bo, 1)
    await _sign_in(console, bo, 2)
    rule = {"path_prefix": "/", "asks": "anyone"}
    site = await _call(console, "POST", "/sites", headers, {"name": "W", "host": "w.test", "rules": [rule]})
    await _call(console, "POST", "/roles", headers, {"name": "editor", "permissions": []})
    acts: list[tuple[str, str, Any]] = [
        ("DELETE", f"/sessions/{one}", None),
        ("POST", "/grants", {"user": str(bo), "role": "editor", "reason": "writes"}),
        ("PUT", "/roles/editor", {"description": "Edits.", "permissions": ["users:read"]}),
        ("DELETE", f"/users/{bo}/sessions", None),
        ("PUT", f"/sites/{site['id']}", {"name": "W", "host": "w.test", "rules": []}),
        ("DELETE", f"/sites/{site['id']}", None),
        ("PATCH", f"/users/{bo}", {"email": "bob@example.test"}),
        ("POST", f"/users/{bo}/lock", {"reason": "why"}),
        ("DELETE", f"/users/{bo}?reason=gone", None),
    ]
    for method, path, body in acts:
        told = (await _call(console, method, path, headers, body))["receipt"]
        assert told is not None, path
        assert (told["acknowledged"], told["lapsed"]) == (["one", "two"], []), path
        assert 0 <= told["milliseconds"] < 1000, path
        latest = (await _call(console, "GET", "/audit", headers))["items"][0]
        assert latest["receipt"] == told, path


async def test_an_act_that_took_nothing_away_has_no_receipt(console: Console, replicas: None) -> None:
    headers = await console.enter("admin")
    bo = await console.person("bo@example.test", "end-user")
    one = await _sign_in(console, bo, 1)
    await _call(console, "DELETE", f"/sessions/{one}", headers)
    assert await _call(console, "DELETE", f"/sessions/{one}", headers) == {"changed": False, "receipt": None}
    await _call(console, "POST", "/roles", headers, {"name": "editor", "permissions": []})
    assert (await _call(console, "GET", "/audit", headers))["items"][0]["receipt"] is None


async def test_the_page_notes_the_receipt_and_the_audit_log_keeps_it(console: Console, replicas: None) -> None:
    headers = {**await console.enter("admin"), **PAGE}
    bo = await console.person("bo@example.test", "end-user")
    one = await _sign_in(console, bo, 1)
    done = await console.client.post(f"/admin/sessions/{one}/end", headers=headers, form={})
    assert done.status_code == 303
    noted = await (await console.client.get("/admin/sessions", headers=headers)).get_data(as_text=True)
    assert re.search(rf"The session was ended\. {IN_FORCE}", noted)
    log = await (await console.client.get("/admin/audit", headers=headers)).get_data(as_text=True)
    assert re.search(IN_FORCE, log)


async def test_the_page_of_every_act_notes_the_receipt(console: Console, replicas: None) -> None:
    headers = await console.enter("admin")
    bo = await console.person("bo@example.test", "end-user")
    one = await _sign_in(console, bo, 1)
    rule = {"path_prefix": "/", "asks": "anyone"}
    site = await _call(console, "POST", "/sites", headers, {"name": "W", "host": "w.test", "rules": [rule]})
    await _call(console, "POST", "/roles", headers, {"name": "editor", "permissions": []})
    other = {"name": "W", "host": "w.test", "position": "1", "path": "/x", "who": "signed_in"}
    person = f"/admin/users/{bo}"
    acts: list[tuple[str, dict[str, str]]] = [
        (f"/admin/sessions/{one}/end", {}),
        (f"{person}/grants", {"role": "editor", "reason": "writes"}),
        ("/admin/roles/editor/edit", {"description": "Edits.", "permissions": "users:read"}),
        (f"{person}/grants/editor/revoke", {"reason": "why"}),
        ("/admin/roles/editor/delete", {}),
        (f"{person}/sessions/end", {}),
        (f"/admin/sites/{site['id']}/edit", other),
        (f"/admin/sites/{site['id']}/delete", {}),
        (f"{person}/edit", {"name": "Bob", "email": "bob@example.test"}),
        (f"{person}/lock", {"reason": "why"}),
        (f"{person}/delete", {"reason": "why"}),
    ]
    for mark, (path, form) in enumerate(acts, 2):
        if path.endswith(("/grants", "/sessions/end")):
            await _sign_in(console, bo, mark)
        done = await console.client.post(path, headers={**headers, **PAGE}, form=form)
        assert done.status_code == 303, path
        noted = await console.client.get(done.headers["Location"], headers={**headers, **PAGE})
        # The note of the act, and not what the history below it says of this one or another.
        assert re.search(rf'class="note-text"><p>[^<]*{IN_FORCE}</p>', await noted.get_data(as_text=True)), path


async def test_a_silent_replica_is_named_as_such(console: Console, database: Databases) -> None:
    from sqlalchemy import text

    headers = await console.enter("admin")
    bo = await console.person("bo@example.test", "end-user")
    one = await _sign_in(console, bo, 1)
    async with console.rows.begin() as session:
        await session.execute(text("INSERT INTO replicas (name) VALUES ('gone')"))
    told = (await _call(console, "DELETE", f"/sessions/{one}", headers))["receipt"]
    assert (told["acknowledged"], told["lapsed"]) == ([], ["gone"])
    words = Receipt(1003, ("one",), ("gone",)).words()
    assert words == "In force everywhere after 1003 ms: 2 replicas, 1 of them by silence."


@pytest.mark.parametrize("found", [None, [], {}, {"milliseconds": "3"}, "x"])
def test_another_services_receipt_is_read_or_left(found: object) -> None:
    assert Receipt.from_json(found) is None
    whole = Receipt(3, ("one",), ("two",))
    assert Receipt.from_json(whole.to_json()) == whole
