"""The console's forms: what they do, what they refuse by name, and that typed text is never markup."""

import re
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select

from ostiary_admin.flows import rules as rule_flows
from ostiary_shared import clock
from ostiary_shared.models import AuditEvent, Message, Session, Site, User
from ostiary_shared.store import messages, sites
from ostiary_shared.store.sessions import Lifetime, Start, start
from tests.admin.conftest import Console

EVIL = "\"><script>alert(1)</script><b id='x'>&amp;{{7*7}}"


LISTS = {"Content-Type": "application/x-www-form-urlencoded"}


async def page(console: Console, path: str, headers: dict[str, str]) -> str:
    answer = await console.client.get(path, headers=headers)
    assert answer.status_code == 200, path
    return await answer.get_data(as_text=True)


async def test_typed_text_is_never_markup_on_any_page(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("evil@example.test", "end-user", name=EVIL)
    now = clock.now()
    async with console.rows.begin() as session:
        lifetime = Lifetime(now.replace(year=2100) - now, now.replace(year=2100) - now)
        begun = Start(user_id, b"x" * 32, ("password",), 1, lifetime, "192.0.2.1", EVIL)
        await start(session, begun, now)
        message = await messages.queue(
            session, messages.Draft(messages.Kind.WELCOME, "evil@example.test", user_id), now
        )
        row = await session.get(Message, message)
        assert row is not None
        row.last_reply, row.failed_at = EVIL, now
    for path, form in (
        (f"/admin/users/{user_id}/grants", {"role": "support", "reason": EVIL}),
        ("/admin/roles/new", {"name": "evil", "description": EVIL}),
        (
            "/admin/sites/new",
            {
                "name": EVIL,
                "host": "evil.example.test",
                "position": "1",
                "path": "/x",
                "methods": "",
                "who": "role:evil",
            },
        ),
        (f"/admin/users/{user_id}/lock", {"reason": EVIL}),
    ):
        sent = await console.client.post(path, headers=headers, form=form)
        assert sent.status_code == 303, await sent.get_data(as_text=True)
    async with console.rows() as session:
        site_id = await session.scalar(select(Site.id))
    for path in (
        "/admin",
        "/admin/users",
        f"/admin/users/{user_id}",
        f"/admin/users/{user_id}/edit",
        "/admin/sessions",
        "/admin/roles",
        "/admin/roles/evil",
        "/admin/roles/evil/edit",
        "/admin/sites",
        f"/admin/sites/{site_id}",
        f"/admin/sites/{site_id}/edit",
        "/admin/audit",
        "/admin/mail",
        f"/admin/mail/{message}",
        f"/admin/mail?user={user_id}",
    ):
        text = await page(console, path, headers)
        assert "<script>alert" not in text
        assert "<b id=" not in text
    for path in (f"/admin/users?q={EVIL.replace('#', '')}", f"/admin/audit?actor={EVIL.replace('#', '')}"):
        assert "<script>alert" not in await page(console, path.replace("&amp;", ""), headers)


async def test_fields_that_no_page_has_are_refused_by_name(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("mass@example.test", "end-user")
    for path, good in (
        ("/admin/users/new", {"email": "new@example.test"}),
        (f"/admin/users/{user_id}/edit", {"email": "mass@example.test"}),
        (f"/admin/users/{user_id}/lock", {"reason": "x"}),
        (f"/admin/users/{user_id}/grants", {"role": "admin", "reason": "x"}),
        ("/admin/roles/new", {"name": "fresh"}),
        ("/admin/sites/new", {"name": "x", "host": "x.test"}),
    ):
        for strange in ("confirmed_at", "is_admin", "id", "deleted_at", "password_hash", "granted_by"):
            answer = await console.client.post(path, headers=headers, form={**good, strange: "1"})
            assert answer.status_code == 422, (path, strange)
            assert "There is no such field" in await answer.get_data(as_text=True)
    async with console.rows() as session:
        user = await session.get(User, user_id)
        assert user is not None
        assert user.locked_at is None
        assert await session.scalar(select(User.id).where(User.email == "new@example.test")) is None


async def test_creating_somebody_sends_an_invitation_and_keeps_what_was_typed_on_error(console: Console) -> None:
    headers = await console.enter("admin")
    form = {
        "email": "Grace@Example.test",
        "name": "Grace",
        "roles": "support",
        "reason": "new colleague",
        "invite": "1",
    }
    sent = await console.client.post("/admin/users/new", headers=headers, form=form)
    assert sent.status_code == 303
    text = await page(console, sent.headers["Location"], headers)
    assert "Grace@example.test" in text
    assert "new colleague" in text
    assert "Invitation" in text
    again = await console.client.post("/admin/users/new", headers=headers, form={**form, "email": "GRACE@example.test"})
    text = await again.get_data(as_text=True)
    assert again.status_code == 422
    assert "an account with this address already" in text
    assert 'value="GRACE@example.test"' in text
    bad = await console.client.post("/admin/users/new", headers=headers, form={**form, "email": "no address"})
    assert "Please enter one e-mail address" in await bad.get_data(as_text=True)


async def test_the_password_field_is_blank_and_blank_keeps(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("keep@example.test", "end-user", name="Keep")
    where = f"/admin/users/{user_id}/edit"
    text = await page(console, where, headers)
    field = re.search(r'<input[^>]*name="password"[^>]*>', text)
    assert field is not None
    assert "value=" not in field[0]
    for form in (
        {"email": "keep@example.test", "name": "Kept", "password": ""},
        {"email": "keep@example.test", "name": "Kept"},
    ):
        assert (await console.client.post(where, headers=headers, form=form)).status_code == 303
    assert console.auth.passwords == {}
    form = {"email": "keep@example.test", "name": "Kept", "password": "a brand new password"}
    assert (await console.client.post(where, headers=headers, form=form)).status_code == 303
    assert console.auth.passwords == {user_id: "a brand new password"}


async def test_a_password_is_not_set_when_the_rest_of_the_form_cannot_be(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("one@example.test", "end-user")
    await console.person("two@example.test", "end-user")
    form = {"email": "TWO@example.test", "name": "", "password": "a brand new password"}
    answer = await console.client.post(f"/admin/users/{user_id}/edit", headers=headers, form=form)
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Another account has this address" in text
    assert "a brand new password" not in text
    assert console.auth.passwords == {}


async def test_a_password_needs_its_own_permission(console: Console) -> None:
    admin = await console.enter("admin")
    fields = urlencode({"name": "editor-of-people", "permissions": ["users:update", "users:read"]}, doseq=True)
    made = await console.client.post("/admin/roles/new", headers={**admin, **LISTS}, data=fields)
    assert made.status_code == 303
    low = await console.enter("editor-of-people")
    user_id = await console.person("plain@example.test", "end-user")
    form = {"email": "plain@example.test", "name": "", "password": "a brand new password"}
    assert (await console.client.post(f"/admin/users/{user_id}/edit", headers=low, form=form)).status_code == 403
    text = await page(console, f"/admin/users/{user_id}/edit", low)
    assert 'name="password"' not in text
    assert re.search(r'<input[^>]*name="email"[^>]*disabled', text)
    assert "takes the permission to set passwords, too" in text
    patch = await console.client.patch(
        f"/admin/api/v1/users/{user_id}", headers=low, json={"password": "a brand new password"}
    )
    assert patch.status_code == 403
    assert console.auth.passwords == {}


async def test_an_address_hands_over_the_account_and_the_refusal_says_so(console: Console) -> None:
    admin = await console.enter("admin")
    body = {"name": "editor-of-people", "permissions": ["users:update", "users:read"]}
    assert (await console.client.post("/admin/api/v1/roles", headers=admin, json=body)).status_code == 201
    low = await console.enter("editor-of-people")
    user_id = await console.person("plain@example.test", "end-user")
    where = f"/admin/users/{user_id}/edit"
    assert (await console.client.post(where, headers=low, form={"name": "New name"})).status_code == 303
    form = {"email": "mine@example.test", "name": ""}
    refused = await console.client.post(where, headers={**low, "Accept": "text/html"}, form=form)
    assert refused.status_code == 403
    assert "takes users:set-password, which you do not hold" in await refused.get_data(as_text=True)
    answer = await console.client.patch(f"/admin/api/v1/users/{user_id}", headers=low, json={"email": form["email"]})
    problem = await answer.get_json()
    assert (answer.status_code, problem["code"]) == (403, "forbidden")
    assert "changing an e-mail address takes users:set-password" in problem["detail"]
    assert problem["reference"]
    async with console.rows() as session:
        user = await session.get(User, user_id)
    assert user is not None
    assert (user.email, user.name) == ("plain@example.test", "New name")


async def test_ones_own_page_leads_to_the_account_page_for_address_and_password(console: Console) -> None:
    headers = await console.enter("admin")
    me = next(iter(console.auth.people.values()))
    where = f"/admin/users/{me}/edit"
    text = await page(console, where, headers)
    assert re.search(r'<input[^>]*name="email"[^>]*disabled', text)
    assert 'name="password"' not in text
    assert 'href="/account"' in text
    assert (await console.client.post(where, headers=headers, form={"name": "My name"})).status_code == 303
    for fields in ({"password": "a brand new password"}, {"email": "other@example.test"}):
        answer = await console.client.patch(f"/admin/api/v1/users/{me}", headers=headers, json=fields)
        assert answer.status_code == 409
        assert "account page" in (await answer.get_json())["detail"]
    assert console.auth.passwords == {}


async def test_who_may_not_favour_themselves_is_offered_no_role_on_their_own_page(console: Console) -> None:
    admin = await console.enter("admin")
    body = {"name": "grantor", "permissions": ["grants:write", "users:read"]}
    assert (await console.client.post("/admin/api/v1/roles", headers=admin, json=body)).status_code == 201
    low = await console.enter("grantor")
    mine, theirs = list(console.auth.people.values())[-1], await console.person("other@example.test")
    assert "Grant a role" not in await page(console, f"/admin/users/{mine}", low)
    assert "Grant a role" in await page(console, f"/admin/users/{theirs}", low)
    form = {"role": "end-user", "reason": "I would like to"}
    refused = await console.client.post(
        f"/admin/users/{mine}/grants", headers={**low, "Accept": "text/html"}, form=form
    )
    assert refused.status_code == 403
    assert "giving a role to oneself takes the role admin" in await refused.get_data(as_text=True)


async def test_rules_are_sorted_by_number_and_dropped_without_a_path(console: Console) -> None:
    headers = await console.enter("admin")
    form = {
        "name": "Wiki",
        "host": "WIKI.example.test:8443",
        "position": ["20", "10", "30"],
        "path": ["/", "/public/", ""],
        "methods": ["", "get, head", "POST"],
        "who": ["permission:users:read", "anyone", "anyone"],
    }
    sent = await console.client.post("/admin/sites/new", headers={**headers, **LISTS}, data=urlencode(form, doseq=True))
    assert sent.status_code == 303, await sent.get_data(as_text=True)
    site_id = UUID(sent.headers["Location"].rsplit("/", 1)[1])
    async with console.rows() as session:
        rules = await sites.rules(session, site_id)
        site = await session.get(Site, site_id)
    assert site is not None
    assert site.host == "wiki.example.test:8443"
    assert [(r.path_prefix, list(r.methods), r.asks, r.value) for r in rules] == [
        ("/public/", ["GET", "HEAD"], "anyone", ""),
        ("/", [], "permission", "users:read"),
    ]
    text = await page(console, f"/admin/sites/{site_id}/edit", headers)
    assert text.count('name="path"') == 2 + 3


async def sent_site(console: Console, headers: dict[str, str], **rows: list[str]) -> str:
    """The page that answers a site with these rows, which is refused."""
    form = {"name": "Wiki", "host": "wiki.test", "methods": ["", ""], "who": ["signed_in", "role:support"], **rows}
    data = urlencode(form, doseq=True)
    answer = await console.client.post("/admin/sites/new", headers={**headers, **LISTS}, data=data)
    assert answer.status_code == 422
    return await answer.get_data(as_text=True)


async def test_a_rule_that_can_never_match_is_refused_at_its_row(console: Console) -> None:
    headers = await console.enter("admin")
    # The rule that is asked first is the second row; an empty row lies between.
    text = await sent_site(
        console,
        headers,
        position=["20", "15", "10"],
        path=["/editor/", "", "/"],
        methods=["", "", ""],
        who=["role:support", "anyone", "signed_in"],
    )
    assert "Rule 20 can never match: rule 10 covers it. Give it a smaller number." in text
    assert 'href="#f-rules.0.path_prefix"' in text
    assert re.search(r'<input id="f-rules.0.path_prefix"[^>]* aria-invalid="true"', text)
    assert not re.search(r'<input id="f-rules.2.path_prefix"[^>]* aria-invalid="true"', text)
    async with console.rows() as session:
        assert await session.scalar(select(Site.id)) is None


async def test_the_summary_says_which_rule_a_fault_is_about(console: Console) -> None:
    text = await sent_site(console, await console.enter("admin"), position=["15", "40"], path=["/", "no-slash"])
    assert '<a href="#f-rules.1.path_prefix">Rule 40: Please enter a path' in text


async def test_two_rules_with_one_number_are_refused_at_the_second(console: Console) -> None:
    headers = await console.enter("admin")
    text = await sent_site(console, headers, position=["10", "10"], path=["/editor/", "/"])
    assert "There is a rule 10 already." in text
    assert re.search(r'<input id="f-rules.1.position"[^>]* aria-invalid="true"', text)


async def test_whom_a_rule_lets_in_is_chosen_from_groups(console: Console) -> None:
    text = await page(console, "/admin/sites/new", await console.enter("admin"))
    assert '<optgroup label="Who has the role">' in text
    assert '<optgroup label="Who has the console permission">' in text
    assert "means anybody who signs up" in text
    assert "answers for every port of the host" in text


async def test_faulty_hosts_and_paths_are_named_and_nothing_is_kept(console: Console) -> None:
    headers = await console.enter("admin")
    good = {"name": "x", "host": "ok.test", "position": "1", "path": "/", "methods": "", "who": "anyone"}
    for field, value in (
        ("host", "http://x.test"),
        ("host", "x.test:99999"),
        ("host", "a b"),
        ("host", "x.test/path"),
        ("path", "no-slash"),
        ("path", "/a//b"),
        ("path", "/a/../b"),
        ("path", "/a?b"),
        ("path", "/%2e%2e/"),
        ("methods", "G<T"),
        ("who", "role:nobody"),
        ("who", "permission:all"),
        ("who", "everyone"),
        ("position", "first"),
        ("name", ""),
    ):
        answer = await console.client.post("/admin/sites/new", headers=headers, form={**good, field: value})
        assert answer.status_code == 422, (field, value)
        text = await answer.get_data(as_text=True)
        assert 'role="alert"' in text
        assert 'name="host"' in text
    async with console.rows() as session:
        assert await session.scalar(select(Site.id)) is None
    assert rule_flows.MOST_RULES == 50


async def test_every_act_leaves_one_row_with_its_actor_and_reason(console: Console) -> None:
    headers = await console.enter("admin", email="boss@example.test")
    user_id = await console.person("subject@example.test", "end-user")
    where = f"/admin/users/{user_id}"
    for act, form in (
        ("lock", {"reason": "why"}),
        ("lock", {"reason": "twice"}),
        ("unlock", {}),
        ("recover", {}),
        ("sessions/end", {}),
        ("grants", {"role": "support", "reason": "because"}),
        ("grants/support/revoke", {}),
        ("delete", {"reason": "gone"}),
        ("restore", {}),
    ):
        assert (await console.client.post(f"{where}/{act}", headers=headers, form=form)).status_code == 303
    async with console.rows() as session:
        rows = list(await session.scalars(select(AuditEvent).order_by(AuditEvent.at, AuditEvent.id)))
    assert [row.event for row in rows] == [
        "admin:user:locked",
        "admin:user:unlocked",
        "admin:recovery:sent",
        "admin:sessions:ended",
        "admin:grant:given",
        "admin:grant:ended",
        "admin:user:deleted",
        "admin:user:restored",
    ]
    assert {row.actor for row in rows} == {"boss@example.test"}
    assert {row.target_id for row in rows} == {user_id}
    assert rows[0].reason == "why"


async def test_forged_requests_of_other_sites_do_nothing(console: Console) -> None:
    headers = await console.enter("admin")
    token = headers["Authorization"].removeprefix("Bearer ")
    user_id = await console.person("victim@example.test", "end-user")
    console.client.set_cookie("localhost", "ostiary", token)
    for forged in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}):
        answer = await console.client.post(f"/admin/users/{user_id}/lock", headers=forged, form={"reason": "x"})
        assert answer.status_code == 403
    assert (await console.client.get("/admin/users", headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
    async with console.rows() as session:
        user = await session.get(User, user_id)
    assert user is not None
    assert user.locked_at is None


async def test_locking_ends_every_way_in(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("out@example.test", "end-user")
    now = clock.now()
    async with console.rows.begin() as session:
        lifetime = Lifetime(now.replace(year=2100) - now, now.replace(year=2100) - now)
        await start(session, Start(user_id, b"y" * 32, ("password",), 1, lifetime, None, ""), now)
        await messages.queue(session, messages.Draft(messages.Kind.RECOVER, "out@example.test", user_id), now)
    await console.client.post(f"/admin/users/{user_id}/lock", headers=headers, form={"reason": "x"})
    async with console.rows() as session:
        assert (
            await session.scalar(select(Session.id).where(Session.user_id == user_id, Session.ended_at.is_(None)))
            is None
        )
        assert await session.scalar(select(Message.dropped_at).where(Message.user_id == user_id))


async def test_a_deleted_address_is_free_and_restoring_it_then_is_refused_kindly(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("reuse@example.test", "end-user")
    await console.client.post(f"/admin/users/{user_id}/delete", headers=headers, form={"reason": "x"})
    await console.person("REUSE@example.test", "end-user")
    await console.client.post(f"/admin/users/{user_id}/restore", headers=headers, form={})
    text = await page(console, f"/admin/users/{user_id}", headers)
    assert "Another account has this e-mail address by now" in text


async def test_nobody_shuts_themselves_out(console: Console) -> None:
    headers = await console.enter("admin")
    me = next(iter(console.auth.people.values()))
    await console.person("spare@example.test", "admin")
    for act in ("lock", "delete"):
        await console.client.post(f"/admin/users/{me}/{act}", headers=headers, form={"reason": "x"})
        assert "cannot shut yourself out" in await page(console, f"/admin/users/{me}", headers)


async def test_the_way_back_is_always_a_page_of_ours(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("back@example.test", "end-user")
    where = f"/admin/users/{user_id}"
    for wanted in (
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "\u00a0//evil.test",
        "evil",
    ):
        sent = await console.client.post(f"{where}/confirm", headers=headers, form={"back": wanted})
        assert sent.status_code in {303, 422}
        assert sent.headers.get("Location", where) == where
