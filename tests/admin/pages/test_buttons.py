"""The buttons and forms of roles, sites, sessions and mail: done, said on the next page, and back where one was."""

from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select, update

from ostiary_shared import clock
from ostiary_shared.models import Message, Session
from ostiary_shared.store import messages
from ostiary_shared.store.sessions import Lifetime, Start, start
from tests.admin.conftest import Console

LISTS = {"Content-Type": "application/x-www-form-urlencoded"}


async def press(console: Console, path: str, headers: dict[str, str], fields: dict[str, object]) -> tuple[str, str]:
    """Send a form; where it leads, and what is shown there."""
    body = urlencode(fields, doseq=True)
    sent = await console.client.post(path, headers={**headers, **LISTS}, data=body)
    assert sent.status_code == 303, await sent.get_data(as_text=True)
    where = sent.headers["Location"]
    shown = await console.client.get(where, headers=headers)
    return where, await shown.get_data(as_text=True)


async def test_a_role_from_making_to_deleting(console: Console) -> None:
    headers = await console.enter("admin")
    fields: dict[str, object] = {"name": "editor", "description": "Edits.", "permissions": ["users:read"]}
    where, text = await press(console, "/admin/roles/new", headers, fields)
    assert where == "/admin/roles/editor"
    assert "The role “editor” was made." in text
    again = await console.client.post("/admin/roles/new", headers=headers, form={"name": "editor"})
    assert again.status_code == 422
    bad = await console.client.post(
        "/admin/roles/editor/edit", headers=headers, form={"permissions": "users:everything"}
    )
    assert bad.status_code == 422
    _, text = await press(
        console, "/admin/roles/editor/edit", headers, {"description": "Edits all.", "permissions": []}
    )
    assert "Saved." in text
    _, text = await press(console, "/admin/roles/editor/edit", headers, {"description": "Edits all."})
    assert "Nothing was changed." in text
    await console.person("ed@example.test", "editor")
    where, text = await press(console, "/admin/roles/editor/delete", headers, {})
    assert where == "/admin/roles/editor"
    assert "1 person holds the role editor" in text
    await press(console, "/admin/roles/new", headers, {"name": "unused"})
    where, text = await press(console, "/admin/roles/unused/delete", headers, {})
    assert where == "/admin/roles"
    assert "The role “unused” was deleted." in text
    _, text = await press(console, "/admin/roles/admin/edit", headers, {"description": "", "permissions": []})
    assert "always permits everything" in text


async def test_a_site_from_adding_to_removing(console: Console) -> None:
    headers = await console.enter("admin")
    row: dict[str, object] = {"position": "1", "path": "/", "methods": "", "who": "signed_in"}
    where, text = await press(console, "/admin/sites/new", headers, {"name": "Wiki", "host": "wiki.test", **row})
    assert "The site was added." in text
    _, text = await press(console, f"{where}/edit", headers, {"name": "Wiki", "host": "wiki.test", **row})
    assert "Nothing was changed." in text
    _, text = await press(
        console, f"{where}/edit", headers, {"name": "Wiki", "host": "wiki.test", **row, "who": "anyone"}
    )
    assert "anyone, even without signing in" in text
    other = await console.client.post("/admin/sites/new", headers=headers, form={"name": "Two", "host": "two.test"})
    taken = await console.client.post(
        f"{other.headers['Location']}/edit", headers=headers, form={"name": "Two", "host": "wiki.test"}
    )
    assert taken.status_code == 422
    where, text = await press(console, f"{where}/delete", headers, {})
    assert where == "/admin/sites"
    assert "wiki.test was removed" in text


async def test_ones_own_session_is_marked_and_ended_by_signing_out(console: Console) -> None:
    """Which says so on the next page: the console has no more pages for them."""
    me = await console.person("me@example.test", "admin")
    headers = console.auth.sign_in(me)
    now = clock.now()
    async with console.rows.begin() as session:
        lifetime = Lifetime(now.replace(year=2100) - now, now.replace(year=2100) - now)
        await start(session, Start(me, b"m" * 32, ("password",), 1, lifetime, None, ""), now)
        row = await start(session, Start(me, b"n" * 32, ("password",), 1, lifetime, None, ""), now)
        await session.execute(update(Session).where(Session.id == row.id).values(id=UUID(int=7)))
    for page in ("/admin/sessions", f"/admin/users/{me}"):
        text = await (await console.client.get(page, headers=headers)).get_data(as_text=True)
        assert text.count("This session") == 1
        assert "/admin/sessions/00000000-0000-0000-0000-000000000007/end" not in text


async def test_sessions_end_one_by_one_and_a_mail_goes_out_again(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("p@example.test", "end-user")
    now = clock.now()
    async with console.rows.begin() as session:
        lifetime = Lifetime(now.replace(year=2100) - now, now.replace(year=2100) - now)
        row = await start(session, Start(user_id, b"z" * 32, ("password",), 1, lifetime, None, ""), now)
        message = await messages.queue(session, messages.Draft(messages.Kind.RECOVER, "p@example.test", user_id), now)
    where, text = await press(console, f"/admin/sessions/{row.id}/end", headers, {"back": f"/admin/users/{user_id}"})
    assert where == f"/admin/users/{user_id}"
    assert "The session was ended." in text
    _, text = await press(console, f"/admin/sessions/{row.id}/end", headers, {})
    assert "over already" in text
    _, text = await press(console, f"/admin/mail/{message}/resend", headers, {})
    assert "still waiting" in text
    async with console.rows.begin() as session:
        mail = await session.get(Message, message)
        assert mail is not None
        mail.sent_at = now
        assert await session.scalar(select(Session.ended_reason)) == "ended by an administrator"
    where, text = await press(console, f"/admin/mail/{message}/resend", headers, {})
    assert where != f"/admin/mail/{message}"
    assert "queued again" in text


async def test_the_audit_log_is_narrowed_by_act_actor_target_and_day(console: Console) -> None:
    headers = await console.enter("admin", email="boss@example.test")
    user_id = await console.person("p@example.test", "end-user")
    await press(console, f"/admin/users/{user_id}/lock", headers, {"reason": "a very good reason"})
    today = clock.now().date()
    for query, found in (
        ({"event": "admin:user:locked"}, True),
        ({"event": "admin:user:deleted"}, False),
        ({"actor": "BOSS@"}, True),
        ({"actor": "p@example"}, False),
        ({"target": str(user_id)}, True),
        ({"target": "p@example"}, True),
        ({"since": str(today), "until": str(today)}, True),
        ({"until": "2020-01-01"}, False),
        ({"since": "2999-01-01"}, False),
    ):
        shown = await console.client.get("/admin/audit", query_string=query, headers=headers)
        assert ("a very good reason" in await shown.get_data(as_text=True)) is found, query
    broken = await console.client.get("/admin/audit?since=yesterday", headers=headers)
    assert broken.status_code == 200
    assert "was left out: since." in await broken.get_data(as_text=True)
    assert (await console.client.get("/admin/api/v1/audit?since=yesterday", headers=headers)).status_code == 422
