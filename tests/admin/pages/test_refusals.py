"""Somebody without permission is told so with a code, and the administrator reads every step behind it and mends it."""

import re
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from ostiary_admin.auth_client import Explained
from ostiary_shared import clock
from ostiary_shared.access import Asks, Decision, Requirement, decide
from ostiary_shared.identity import Presented
from ostiary_shared.models import Denial
from ostiary_shared.store import denials, users
from tests.admin.conftest import Console


async def kept(console: Console, code: str) -> Explained:
    """The refusal on record as auth would explain it."""
    async with console.rows() as session:
        row = await denials.find(session, code)
        assert row is not None
        email = await denials.email_of(session, row)
    decision = Decision.from_json(row.decision)
    found = Explained(code, row.last_at, row.count, row.method, row.url, row.user_id, email, decision)
    console.auth.denials[code] = found
    return found


async def test_a_refused_person_gets_a_code_and_the_database_its_steps(console: Console) -> None:
    headers = {**await console.enter("support"), "Accept": "text/html"}
    answer = await console.client.get("/admin/audit?actor=secret", headers=headers)
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 403
    code = re.search(r">([0-9A-Z]{4}-[0-9A-Z]{4})<", text)
    assert code is not None
    found = await kept(console, code[1])
    assert found.decision.remedy is not None
    assert found.decision.remedy.value == "audit:read"
    assert "secret" not in found.url
    again = await console.client.get("/admin/audit", headers=headers)
    assert code[1] in await again.get_data(as_text=True)


async def test_made_up_addresses_of_one_cause_are_one_row(console: Console) -> None:
    headers = {**await console.enter("end-user"), "Accept": "application/json"}
    references = set()
    for number in range(20):
        for path in (f"/admin/users/{UUID(int=number)}", f"/admin/users?q={number}", "/admin/users"):
            refused = await console.client.get(path, headers=headers)
            assert refused.status_code == 403
            references.add((await refused.get_json())["reference"])
    assert len(references) == 1
    async with console.rows() as session:
        assert await session.scalar(select(func.count()).select_from(Denial)) == 1
        assert await session.scalar(select(Denial.count)) == 60
    others = await console.client.get("/admin/audit", headers=headers)
    assert (await others.get_json())["reference"] not in references


async def test_the_administrator_sees_every_step_and_grants_a_role_that_helps(console: Console) -> None:
    low = {**await console.enter("end-user", email="low@example.test"), "Accept": "application/json"}
    refused = await (await console.client.get("/admin/sessions", headers=low)).get_json()
    found = await kept(console, refused["reference"])
    headers = await console.enter("admin")
    sent = await console.client.get(f"/admin/denials?code={found.code}", headers=headers)
    assert sent.headers["Location"] == f"/admin/denials/{found.code}"
    page = await (await console.client.get(f"/admin/denials/{found.code}", headers=headers)).get_data(as_text=True)
    for step in found.decision.steps:
        assert step.title in page
    offered = re.findall(r'name="role" value="([^"]+)"', page)
    assert offered[0] == "auditor" or offered[0] == "support"
    assert set(offered) == {"support", "auditor", "admin"}
    form = {"role": "support", "reason": "helps out", "back": f"/admin/denials/{found.code}"}
    mended = await console.client.post(f"/admin/users/{found.user_id}/grants", headers=headers, form=form)
    assert mended.headers["Location"] == f"/admin/denials/{found.code}"
    page = await (await console.client.get(f"/admin/denials/{found.code}", headers=headers)).get_data(as_text=True)
    assert "Mended" in page
    assert (await console.client.get("/admin/sessions", headers=low)).status_code == 200


async def test_one_click_grants_a_role_unlocks_or_confirms_and_comes_back(console: Console) -> None:
    headers = await console.enter("admin")
    now = clock.now()
    sent = await console.client.post("/admin/roles/new", headers=headers, form={"name": "editor"})
    assert sent.status_code == 303
    for number, (requirement, trouble) in enumerate(
        (
            (Requirement(Asks.ROLE, "editor"), ""),
            (Requirement(Asks.SIGNED_IN), "lock"),
            (Requirement(Asks.SIGNED_IN), "unconfirmed"),
        )
    ):
        user_id = await console.person(f"person{number}@example.test", "end-user", confirmed=trouble != "unconfirmed")
        if trouble == "lock":
            await console.client.post(f"/admin/users/{user_id}/lock", headers=headers, form={"reason": "why not"})
        code = await refuse(console, user_id, requirement)
        page = await (await console.client.get(f"/admin/denials/{code}", headers=headers)).get_data(as_text=True)
        act = re.search(r'<form class="act" method="post" action="(/admin/users/[^"]+)">(.*?)</form>', page, re.DOTALL)
        assert act is not None, page
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', act[2]))
        clicked = await console.client.post(act[1], headers=headers, form=fields)
        assert clicked.headers["Location"] == f"/admin/denials/{code}"
        async with console.rows() as session:
            account = await users.account(session, user_id, now)
        assert account is not None
        assert account.confirmed_at
        assert not account.locked_at
        assert trouble or "editor" in account.roles


async def refuse(console: Console, user_id: object, requirement: Requirement) -> str:
    """A refusal of somebody by a site's rule, on record."""
    from ostiary_shared.identity import SessionFacts

    now = clock.now()
    facts = SessionFacts(UUID(int=1), 1, ("password",), now, now, now, now.replace(year=2100), now - now, None, "")
    facts = replace(facts, idle_limit=facts.expires_at - now)
    async with console.rows.begin() as session:
        account = await users.account(session, UUID(str(user_id)), now)
        decision = decide(Presented(True, facts, account), requirement, now)
        code = await denials.record(
            session,
            denials.Refusal(
                UUID(str(user_id)), str(requirement), "GET", "https://wiki.example.test/", decision.to_json()
            ),
            now,
        )
    await kept(console, code)
    return code


async def test_support_sees_the_steps_but_no_button_it_may_not_press(console: Console) -> None:
    user_id = await console.person("locked@example.test", "end-user")
    admin = await console.enter("admin")
    await console.client.post(f"/admin/users/{user_id}/lock", headers=admin, form={"reason": "why not"})
    code = await refuse(console, user_id, Requirement(Asks.SIGNED_IN))
    page = await (await console.client.get(f"/admin/denials/{code}", headers=await console.enter("support"))).get_data(
        as_text=True
    )
    assert "Is the account usable?" in page
    assert f"/admin/users/{user_id}/unlock" not in page


async def test_an_unknown_code_is_said_to_be_unknown(console: Console) -> None:
    headers = await console.enter("admin")
    for code in ("7KQ2-M4XP", "s-forged", "a/b?c", "%"):
        sent = await console.client.get("/admin/denials", query_string={"code": code}, headers=headers)
        sent = await console.client.get(sent.headers["Location"], headers=headers)
        page = await (await console.client.get(sent.headers["Location"], headers=headers)).get_data(as_text=True)
        assert "No refusal has the code" in page
    assert (await console.client.get("/admin/api/v1/denials/7KQ2-M4XP", headers=headers)).status_code == 404


async def test_a_strangers_code_is_explained_without_a_person(console: Console) -> None:
    headers = await console.enter("admin")
    decision = decide(Presented(), Requirement(Asks.SIGNED_IN), clock.now())
    console.auth.denials["s-abc"] = Explained("s-abc", clock.now(), 1, "GET", "https://x.test/", None, "", decision)
    page = await (await console.client.get("/admin/denials/s-abc", headers=headers)).get_data(as_text=True)
    assert "a stranger" in page
    body = await (await console.client.get("/admin/api/v1/denials/s-abc", headers=headers)).get_json()
    assert body["user_id"] is None
    assert body["steps"][0]["passed"] is False


async def test_an_act_above_ones_own_permissions_is_a_refusal_on_record(console: Console) -> None:
    admin = await console.person("high@example.test", "admin")
    await console.person("spare@example.test", "admin")
    support = await console.enter("support")
    page = await console.client.post(
        f"/admin/users/{admin}/recover", headers={**support, "Accept": "text/html"}, form={}
    )
    assert page.status_code == 403
    answer = await console.client.post(f"/admin/api/v1/users/{admin}/recover", headers=support)
    body = await answer.get_json()
    assert answer.status_code == 403
    found = await kept(console, body["reference"])
    assert "sites:write" in found.decision.steps[0].seen


async def test_only_roles_that_the_reader_may_give_are_offered(console: Console) -> None:
    admin = await console.enter("admin")
    role = {"name": "grantor", "permissions": ["denials:read", "grants:write", "users:read"]}
    made = await console.client.post("/admin/api/v1/roles", headers=admin, json=role)
    assert made.status_code == 201
    user_id = await console.person("low@example.test", "end-user")
    code = await refuse(console, user_id, Requirement(Asks.PERMISSION, "users:read"))
    grantor = await console.enter("grantor")
    for headers, offered in ((grantor, ["grantor"]), (admin, ["grantor", "support", "auditor", "admin"])):
        found = await (await console.client.get(f"/admin/api/v1/denials/{code}", headers=headers)).get_json()
        assert found["cure"]["roles"] == offered
        assert found["cure"]["done"] is False


async def test_nobody_is_offered_a_role_against_their_own_refusal(console: Console) -> None:
    admin = await console.enter("admin")
    for name, permissions in (("grantor", ["denials:read", "grants:write"]), ("editor", [])):
        body = {"name": name, "permissions": permissions}
        assert (await console.client.post("/admin/api/v1/roles", headers=admin, json=body)).status_code == 201
    grantor = await console.enter("grantor")
    code = await refuse(console, list(console.auth.people.values())[-1], Requirement(Asks.ROLE, "editor"))
    for headers, offered in ((grantor, []), (admin, ["editor"])):
        found = await (await console.client.get(f"/admin/api/v1/denials/{code}", headers=headers)).get_json()
        assert found["cure"]["roles"] == offered


async def test_the_remedy_is_told_once_and_names_the_present_address(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("old@example.test", "end-user")
    for requirement in (Requirement(Asks.PERMISSION, "users:read"), Requirement(Asks.ROLE, "support")):
        code = await refuse(console, user_id, requirement)
        renamed = {"email": "new@example.test", "name": ""}
        await console.client.post(f"/admin/users/{user_id}/edit", headers=headers, form=renamed)
        await kept(console, code)
        for path in (f"/admin/denials/{code}", "/admin/denials"):
            page = await (await console.client.get(path, headers=headers)).get_data(as_text=True)
            words = (
                "a role with the permission users:read" if requirement.asks is Asks.PERMISSION else "Grant support to"
            )
            assert page.count(words) == 1 or path == "/admin/denials"
            assert "new@example.test" in re.sub("<[^>]+>", "", page)
            assert not re.search(r"(Grant|to) old@example.test", page)
        await console.client.post(
            f"/admin/users/{user_id}/edit", headers=headers, form={**renamed, "email": "old@example.test"}
        )


async def test_a_role_that_helps_is_offered_with_what_else_it_permits(console: Console) -> None:
    headers = await console.enter("admin")
    code = await refuse(
        console, await console.person("p@example.test", "end-user"), Requirement(Asks.PERMISSION, "users:read")
    )
    page = await (await console.client.get(f"/admin/denials/{code}", headers=headers)).get_data(as_text=True)
    offered = dict(re.findall(r'name="role" value="([^"]+)".*?<p class="hint"[^>]*>([^<]+)', page, re.DOTALL))
    for name in ("support", "admin"):
        assert re.fullmatch(r"(\S+, ){3}\S+ and \d+ more", offered[name])
    assert 'value="support" checked' in page or 'value="auditor" checked' in page
