"""The pages of one's own account, as their owner sees and uses them."""

import pytest
from quart import Response

from ostiary_auth.tools import Desk
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.browser import Client, body, cookies, sign_in, words
from tests.auth.people import ADA, OTHER, PASSWORD, WRONG, Mailed

PAGES = ["/account", "/account/password", "/account/email", "/account/sessions"]


@pytest.mark.parametrize("path", PAGES)
async def test_strangers_are_sent_to_sign_in_and_come_back(auth: Client, desk: Desk, path: str) -> None:
    await people.person(desk)
    answer = await auth.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/login?next={path.replace('/', '%2F')}"
    assert (await sign_in(auth, next=path)).headers["Location"] == path
    assert (await auth.get(path)).status_code == 200


async def test_only_who_may_use_the_console_is_shown_the_way_there(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    await people.person(desk, "root@example.test", role="support")
    await sign_in(auth)
    assert 'href="/admin"' not in await body(await auth.get("/account"))
    await sign_in(auth, "root@example.test")
    assert 'href="/admin"' in await body(await auth.get("/account"))


async def test_the_name_can_be_changed_and_sending_twice_changes_nothing_more(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    await sign_in(auth)
    for _ in range(2):
        assert (await auth.post("/account", form={"name": "Ada <b>Lovelace</b>"})).headers["Location"] == "/account"
    page = str(await (await auth.get("/account")).get_data())
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in page
    assert await people.rows(desk, "SELECT before, after FROM audit_events WHERE event = 'user:name:changed'") == [
        ({"name": "Ada"}, {"name": "Ada <b>Lovelace</b>"})
    ]
    assert (await auth.post("/account", form={"name": "x" * 101})).status_code == 422
    assert (await auth.post("/account", form={"name": "two\nlines"})).status_code == 422


async def _change(auth: Client, current: str, new: str) -> Response:
    form = {"current_password": current, "password": new}
    return await auth.post("/account/password", form=form)


async def test_changing_the_password_keeps_this_browser_in_and_no_other(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    other = auth.app.test_client()
    await sign_in(other)
    before = cookies(await sign_in(auth))["ostiary"]
    assert "not your current password" in await words(await _change(auth, WRONG, OTHER))
    assert "at least 15" in await words(await _change(auth, PASSWORD, "short"))
    assert (await other.get("/account")).status_code == 200
    changed = await _change(auth, PASSWORD, OTHER)
    assert changed.status_code == 303
    assert cookies(changed)["ostiary"].split(";")[0] != before.split(";")[0]
    assert "One other sign-in has ended" in await words(await auth.get("/account/password"))
    assert (await other.get("/account")).status_code == 303
    assert (await _change(auth, PASSWORD, OTHER)).status_code == 422


async def test_another_address_is_asked_for_confirmed_and_used(auth: Client, desk: Desk) -> None:
    user = await people.person(desk)
    await sign_in(auth)
    wrong = await auth.post("/account/email", form={"email": "new@example.test", "current_password": WRONG})
    assert wrong.status_code == 422
    own = await auth.post("/account/email", form={"email": ADA.upper(), "current_password": PASSWORD})
    assert "your address already" in await words(own)
    asked = await auth.post("/account/email", form={"email": "new@example.test", "current_password": PASSWORD})
    assert asked.headers["Location"] == "/account/email/confirm"
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, "new@example.test"))
    assert "new@example.test" in await words(
        await auth.get("/account/email/confirm", query_string={"token": link.token})
    )
    assert (await auth.post("/account/email/confirm", form={"token": link.token})).headers["Location"] == "/"
    assert "new@example.test" in await words(await auth.get("/account"))


async def test_an_address_taken_meanwhile_is_a_clear_answer(auth: Client, desk: Desk) -> None:
    user = await people.person(desk)
    link, _ = await people.sent(desk, Purpose.CHANGE_EMAIL, Mailed(user.id, "new@example.test"))
    await people.person(desk, "new@example.test")
    answer = await auth.post("/account/email/confirm", form={"token": link.token})
    assert answer.status_code == 409
    assert "Another account has this e-mail address" in await words(answer)


async def test_sessions_are_listed_without_tokens_and_can_be_ended(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    other = auth.app.test_client()
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    theirs = await other.post("/login", form={"email": ADA, "password": PASSWORD}, headers={"User-Agent": phone})
    mine = cookies(await sign_in(auth))["ostiary"]
    page = await auth.get("/account/sessions")
    said = await words(page)
    assert "Safari on iPhone" in said
    assert said.count("This device") == 1
    for line in (mine, cookies(theirs)["ostiary"]):
        assert line.split(";")[0].partition("=")[2] not in await body(page)
    (row,) = await people.rows(desk, "SELECT id FROM sessions WHERE user_agent LIKE '%iPhone%'")
    for told in ("That session has ended.", "over already"):
        assert (await auth.post(f"/account/sessions/{row.id}/end")).headers["Location"] == "/account/sessions"
        assert told in await words(await auth.get("/account/sessions"))
    assert (await other.get("/account")).status_code == 303


async def test_all_other_sessions_can_be_ended_at_once(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    other = auth.app.test_client()
    await sign_in(other)
    await sign_in(auth)
    for told in ("One other session has ended.", "There was no other session."):
        await auth.post("/account/sessions/end-others")
        assert told in await words(await auth.get("/account/sessions"))
    assert (await other.get("/account")).status_code == 303


async def test_ending_the_session_in_use_is_signing_out(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    await sign_in(auth)
    (row,) = await people.rows(desk, "SELECT id FROM sessions")
    answer = await auth.post(f"/account/sessions/{row.id}/end")
    assert answer.headers["Location"] == "/login"
    assert "You are signed out. In force everywhere after" in await words(await auth.get("/login"))
