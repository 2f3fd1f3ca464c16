"""The page and the JSON of a refusal: plain words for the person, all steps for whoever may look."""

import json
from typing import Any

import pytest
from quart import Quart

from ostiary_auth.flows import deny
from ostiary_auth.pages.denied import _WORDS
from ostiary_auth.tools import AuthTools
from ostiary_shared import clock
from ostiary_shared.access import Check, Decision, Outcome, Remedy, refuse_address
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site
from ostiary_shared.store import users
from ostiary_shared.work import Caller, open_work
from tests.auth.gate.conftest import HOST, Ask, Guest, add_guest


async def refused(ask: Ask, uri: str, headers: dict[str, str]) -> str:
    answer = await ask(uri, {**headers, "Sec-Fetch-Mode": "cors"})
    return str(json.loads(await answer.get_data())["reference"])


async def shown(app: Quart, code: str, **headers: str) -> tuple[int, str]:
    answer = await app.test_client().get(f"/denied/{code}", headers={"Accept": "text/html", **headers})
    return answer.status_code, await answer.get_data(as_text=True)


async def test_a_person_reads_a_sentence_a_way_and_the_code_and_nothing_that_helps_an_attacker(
    app: Quart, ask: Ask, site: Site, bo: Guest
) -> None:
    code = await refused(ask, "/editor/plans?secret=1", bo.cookie)
    status, page = await shown(app, code)
    assert status == 403
    assert "does not have the role" in page
    assert code in page
    assert f'href="http://{HOST}/editor/plans"' in page
    for hint in ("secret", "Intranet", "rule 2", "Grant", "bo@example.test", "end-user", str(bo.user.id)):
        assert hint not in page


async def test_a_stranger_is_led_to_sign_in_and_back(app: Quart, ask: Ask, site: Site) -> None:
    status, page = await shown(app, await refused(ask, "/wiki", {}))
    assert status == 403
    assert f'href="/login?next=http%3A%2F%2F{HOST}%2Fwiki"' in page


async def test_a_locked_person_learns_no_reason(
    app: Quart, ask: Ask, site: Site, bo: Guest, admin_sessions: Sessions
) -> None:
    async with admin_sessions.begin() as session:
        await users.change(session, bo.user.id, locked_at=clock.now(), locked_reason="stole the silver")
    _, page = await shown(app, await refused(ask, "/wiki", bo.cookie))
    assert "cannot be used at the moment" in page
    assert "silver" not in page


async def test_a_code_never_makes_us_link_to_a_host_that_is_no_site_of_ours(app: Quart, ask: Ask, site: Site) -> None:
    for uri, host in (("/x", "evil.example.test"), ("/a/../b", HOST)):
        code = await refused(ask, uri, {"X-Forwarded-Host": host})
        status, page = await shown(app, code)
        assert status == 403
        assert f"http://{host}" not in page


@pytest.mark.parametrize("code", ["ZZZZ-ZZZZ", "x", "s-AAAA", "%00", "%C3%A9%C3%A9", "s-" + "A" * 500, "AAAA-AAA%0A"])
async def test_an_unknown_code_is_a_page_that_was_not_found(app: Quart, code: str) -> None:
    assert (await shown(app, code))[0] == 404


def test_every_cause_has_words() -> None:
    signing_in = {Check.COOKIE, Check.SESSION, Check.ALIVE}
    assert set(_WORDS) == set(Check) - signing_in


@pytest.mark.parametrize("cause", list(Check))
async def test_every_cause_has_a_page(app: Quart, tools: AuthTools, sessions: Sessions, cause: Check) -> None:
    step = refuse_address("x").steps
    for outcome in (Outcome.REFUSED, Outcome.SIGN_IN):
        decision = Decision(outcome, step, cause, Remedy("sign-in", "", "…"))
        async with open_work(sessions, tools=tools, caller=Caller()) as work:
            code = deny.seal(work, decision, "GET", "http://localhost/admin/users")
        assert (await shown(app, code))[0] == 403


async def read(app: Quart, code: str, guest: Guest | None) -> tuple[int, Any]:
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {guest.token}"} if guest else {})}
    answer = await app.test_client().get(f"/api/v1/denials/{code}", headers=headers)
    return answer.status_code, json.loads(await answer.get_data())


async def test_whoever_may_read_refusals_gets_the_steps_of_both_kinds_of_code(
    app: Quart, ask: Ask, site: Site, bo: Guest, sessions: Sessions
) -> None:
    auditor = await add_guest(sessions, "al@example.test", "auditor")
    await refused(ask, "/editor/a", bo.cookie)
    known = await refused(ask, "/editor/b", bo.cookie)
    status, body = await read(app, known, auditor)
    assert status == 200
    assert (body["code"], body["count"], body["method"], body["url"]) == (known, 2, "GET", f"http://{HOST}/editor/a")
    assert body["user"] == {"id": str(bo.user.id), "email": "bo@example.test"}
    assert body["decision"]["remedy"] == {
        "kind": "grant-role",
        "value": "editor",
        "words": "Grant editor to bo@example.test.",
    }
    assert [step["check"] for step in body["decision"]["steps"]][-2:] == ["role", "rule"]
    sealed = await refused(ask, "/wiki", {})
    status, body = await read(app, sealed, auditor)
    assert (status, body["user"], body["decision"]["outcome"]) == (200, None, "sign_in")
    assert (await read(app, "ZZZZ-ZZZZ", auditor))[0] == 404


async def test_nobody_else_gets_them(app: Quart, ask: Ask, site: Site, bo: Guest) -> None:
    code = await refused(ask, "/editor/a", bo.cookie)
    assert (await read(app, code, None))[0] == 401
    status, body = await read(app, code, bo)
    assert status == 403
    assert "steps" not in json.dumps(body)
