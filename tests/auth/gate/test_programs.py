"""People's programs at the gate: a bearer token of theirs opens what its scopes let it open."""

from datetime import timedelta

import pytest

from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site
from ostiary_shared.store import api_tokens
from ostiary_shared.tokens import derive
from ostiary_shared.work import Caller, open_work
from tests.auth.gate.conftest import Ask, Guest
from tests.conftest import AUTH_SECRET

PERSONAL_KEY = derive(AUTH_SECRET, "api token")
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
