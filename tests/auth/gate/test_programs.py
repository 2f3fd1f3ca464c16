"""People's programs at the gate: a bearer token of theirs opens what its scopes let it open."""

import json
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.store import api_tokens, sites
from ostiary_shared.tokens import derive
from ostiary_shared.work import Caller, open_work
from tests.auth.gate.conftest import Ask, Guest, add_guest
from tests.conftest import AUTH_SECRET

PERSONAL_KEY = derive((AUTH_SECRET,), "api token")
pytestmark = pytest.mark.usefixtures("site")


async def program(sessions: Sessions, owner: Guest, *scopes: str) -> str:
    token = tokens.mint(tokens.PERSONAL, PERSONAL_KEY)
    async with sessions.begin() as session:
        now = clock.now()
        wanted = api_tokens.Wanted(owner.user.id, "x", token.digest, scopes, now + timedelta(days=1))
        await api_tokens.add(session, wanted, now)
    return token.value


@pytest.mark.parametrize("door", ["/gate", "/gate/nginx"])
async def test_it_opens_what_its_scopes_open(sessions: Sessions, ask: Ask, ed: Guest, door: str) -> None:
    bare, editor = await program(sessions, ed), await program(sessions, ed, "role:editor")
    for token, uri, status, groups in (
        (bare, "/wiki", 200, ""),
        (bare, "/editor/x", 403, None),
        (editor, "/editor/x", 200, "editor"),
        (editor, "/audit", 403, None),
    ):
        answer = await ask(uri, {"Authorization": f"Bearer {token}", "Accept": "application/json"}, door=door)
        assert (answer.status_code, answer.headers.get("Remote-Groups")) == (status, groups), (uri, groups)


@pytest.mark.parametrize("door", ["/gate", "/gate/nginx"])
async def test_in_a_cookie_it_is_nothing(sessions: Sessions, ask: Ask, ed: Guest, door: str) -> None:
    token = await program(sessions, ed, "role:editor")
    for name in ("ostiary", "ostiary-site"):
        answer = await ask("/wiki", {"Cookie": f"{name}={token}", "Accept": "application/json"}, door=door)
        assert answer.status_code == 401


async def test_it_stops_when_it_is_revoked(sessions: Sessions, ask: Ask, ed: Guest, site: Site) -> None:
    token = await program(sessions, ed)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    assert (await ask("/wiki", headers)).status_code == 200
    async with open_work(sessions, tools=None, caller=Caller()) as work:
        await api_tokens.revoke_all(work.session, ed.user.id, work.now, "x")
    assert (await ask("/wiki", headers)).status_code == 401


async def explained(app: Quart, sessions: Sessions, code: str) -> Any:
    """What whoever may read refusals is told about this one."""
    auditor = await add_guest(sessions, "al@example.test", "auditor")
    headers = {"Accept": "application/json", "Authorization": f"Bearer {auditor.token}"}
    answer = await app.test_client().get(f"/api/v1/denials/{code}", headers=headers)
    return json.loads(await answer.get_data())["decision"]


async def test_what_the_owner_holds_and_the_token_is_not_given_is_told_so(
    app: Quart, sessions: Sessions, ask: Ask, ed: Guest
) -> None:
    headers = {"Authorization": f"Bearer {await program(sessions, ed)}", "Accept": "application/json"}
    refused = json.loads(await (await ask("/editor/x", headers)).get_data())
    assert "API token" in refused["detail"]
    page = await app.test_client().get(f"/denied/{refused['reference']}", headers={"Accept": "text/html"})
    assert "Not for this token" in await page.get_data(as_text=True)
    told = await explained(app, sessions, refused["reference"])
    assert told["remedy"] == {"kind": "new-token", "value": "role:editor", "words": "Make a token with role:editor."}


async def test_only_refusals_of_which_the_same_steps_are_true_share_a_code(
    sessions: Sessions, ask: Ask, bo: Guest
) -> None:
    async def refused(headers: dict[str, str], uri: str = "/editor/x") -> str:
        answer = await ask(uri, {**headers, "Accept": "application/json", "Sec-Fetch-Mode": "cors"})
        return str(json.loads(await answer.get_data())["reference"])

    one, other = [{"Authorization": f"Bearer {await program(sessions, bo, scope)}"} for scope in ("role:x", "role:y")]
    codes = [await refused(bo.cookie), await refused(one), await refused(other), await refused(one, "/audit")]
    assert len(set(codes)) == 4
    assert [await refused(bo.cookie, "/editor/y"), await refused(one, "/editor/y")] == codes[:2]


@pytest.mark.parametrize("door", ["/gate", "/gate/nginx"])
async def test_where_a_recent_sign_in_is_asked_for_a_program_is_sent_to_the_explanation(
    app: Quart, sessions: Sessions, admin_sessions: Sessions, ask: Ask, ed: Guest, site: Site, door: str
) -> None:
    async with admin_sessions.begin() as session:
        rule = SiteRule(path_prefix="/", methods=[], asks="signed_in", value="", fresh_minutes=5)
        await sites.replace_rules(session, site.id, [rule])
    headers = {"Authorization": f"Bearer {await program(sessions, ed)}"}
    answer = await ask("/", {**headers, "Accept": "application/json"}, door=door)
    refused = json.loads(await answer.get_data())
    assert (answer.status_code, "sign_in" in refused) == (403, False)
    assert refused["explanation"].endswith(f"/denied/{refused['reference']}")
    assert answer.headers.get("X-Ostiary-Denied", refused["explanation"]) == refused["explanation"]
    page = await app.test_client().get(f"/denied/{refused['reference']}", headers={"Accept": "text/html"})
    assert "/login" not in (await page.get_data(as_text=True)).partition("<main")[2]
    told = await explained(app, sessions, refused["reference"])
    assert told["remedy"]["words"].startswith("Use the page in a browser")


async def test_where_no_program_is_let_in_its_token_is_not_called_unknown(
    app: Quart, sessions: Sessions, ed: Guest
) -> None:
    headers = {"Authorization": f"Bearer {await program(sessions, ed)}", "Accept": "application/json"}
    answer = await app.test_client().get("/api/v1/account/tokens", headers=headers)
    refused = json.loads(await answer.get_data())
    assert (answer.status_code, "API token" in refused["detail"]) == (401, True)
    told = await explained(app, sessions, refused["reference"])
    assert "an API token, which this door does not take" in [step["seen"] for step in told["steps"]]
    assert told["remedy"]["kind"] == "use-session"
