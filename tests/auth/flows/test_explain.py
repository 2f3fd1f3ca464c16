"""The explainer: the door's own decision, told in steps, leaving no trace."""

import pytest

from ostiary_auth.flows import deny, explain, gate
from ostiary_auth.flows.gate import Asked
from ostiary_auth.tools import AuthWork
from ostiary_shared import site_rules
from ostiary_shared.access import Asks, Check, Outcome, Requirement, decide, refuse_address
from ostiary_shared.database import Sessions
from ostiary_shared.errors import Invalid, NotFound
from ostiary_shared.identity import Presented
from ostiary_shared.models import Site
from ostiary_shared.store import sessions as session_rows
from tests.auth.gate.conftest import HOST, Guest, add_guest, add_site

EDITOR = f"http://{HOST}/editor/"


@pytest.fixture
async def site(admin_sessions: Sessions) -> Site:
    return await add_site(admin_sessions)


@pytest.fixture
async def bo(sessions: Sessions) -> Guest:
    return await add_guest(sessions, "bo@example.test", "end-user")


async def test_it_tells_the_very_steps_of_the_gate(site: Site, bo: Guest, work: AuthWork) -> None:
    judged = await gate.judge(work, Asked("GET", "http", HOST, "/editor/"), bo.token)
    told = await explain.explain_url(work, "BO@example.test", EDITOR)
    assert told == await explain.explain_url(work, str(bo.user.id), EDITOR)
    assert told.decision == judged.decision
    assert (told.email, told.asked) == ("bo@example.test", f"GET {EDITOR}")
    assert explain.as_lines(told)[-4:] == [
        "✗ Is the role editor held? holds end-user",
        "  → Grant editor to bo@example.test.",
        "· Which rule decided? rule 2 of Intranet (/editor/): asks for the role editor",
        "The door stays shut.",
    ]


async def test_asking_does_not_keep_a_session_alive(site: Site, bo: Guest, work: AuthWork) -> None:
    [before] = await session_rows.living(work.session, bo.user.id, work.now)
    seen = before.last_seen_at
    await explain.explain_url(work, "bo@example.test", EDITOR)
    [after] = await session_rows.living(work.session, bo.user.id, work.now)
    assert after.last_seen_at == seen


async def test_without_a_session_it_tells_what_would_be(site: Site, bo: Guest, work: AuthWork) -> None:
    await session_rows.end_all(work.session, bo.user.id, work.now, "test")
    told = await explain.explain_url(work, "bo@example.test", f"http://{HOST}/wiki")
    assert told.decision.outcome is Outcome.ALLOWED
    assert {step.seen for step in told.decision.steps[:3]} == {site_rules.AS_IF}
    assert (await explain.explain_permission(work, "bo@example.test", "users:read")).decision.steps[
        0
    ].seen == site_rules.AS_IF


async def test_a_permission_says_from_which_role_or_that_none_has_it(
    bo: Guest, work: AuthWork, sessions: Sessions
) -> None:
    await add_guest(sessions, "al@example.test", "auditor")
    held = await explain.explain_permission(work, "al@example.test", "audit:read")
    missing = (await explain.explain_permission(work, "bo@example.test", "audit:read")).decision
    assert held.decision.allowed
    assert "from the role auditor" in explain.as_lines(held)[-3]
    assert missing.cause is Check.PERMISSION


@pytest.mark.parametrize("url", ["", "wiki", "/editor", "ftp://x/y", "http://", "http://[", "//x/y"])
async def test_what_is_no_web_address_is_said_so(url: str, bo: Guest, work: AuthWork) -> None:
    with pytest.raises(Invalid):
        await explain.explain_url(work, "bo@example.test", url)


@pytest.mark.parametrize(
    "url", ["http://wiki.example.test/a/../b", "http://a@wiki.example.test/", "http://b\u00fccher.test/"]
)
async def test_an_odd_address_is_refused_as_at_the_door(url: str, bo: Guest, site: Site, work: AuthWork) -> None:
    assert (await explain.explain_url(work, "bo@example.test", url)).decision.cause is Check.ADDRESS


async def test_nobody_and_nothing_are_said_so(bo: Guest, work: AuthWork) -> None:
    for who in ("nobody@example.test", "7", "00000000-0000-0000-0000-000000000000", "@", "\x00@x"):
        with pytest.raises(NotFound):
            await explain.explain_url(work, who, EDITOR)
    with pytest.raises(Invalid, match="Some fields"):
        await explain.explain_permission(work, "bo@example.test", "users:fly")
    with pytest.raises(NotFound):
        await explain.explain_code(work, "ZZZZ-ZZZZ")


async def test_a_code_of_either_kind_leads_to_its_steps(site: Site, bo: Guest, work: AuthWork) -> None:
    known = (await gate.judge(work, Asked("GET", "http", HOST, "/editor/"), bo.token)).decision
    code = await deny.keep(work, known, "GET", f"{EDITOR}?q=1")
    told = await explain.explain_code(work, code.lower().replace("-", " "))
    assert (told.decision, told.email, told.asked) == (known, "bo@example.test", f"GET {EDITOR}")
    stranger = decide(Presented(), Requirement(Asks.SIGNED_IN), work.now)
    sealed = await explain.explain_code(work, await deny.keep(work, stranger, "GET", EDITOR))
    assert (sealed.decision, sealed.email) == (stranger, "")
    assert sealed.kept is not None


async def test_one_rule_refusing_one_person_is_one_row_however_many_addresses(
    site: Site, bo: Guest, work: AuthWork
) -> None:
    codes = set()
    for number in range(5):
        decision = (await gate.judge(work, Asked("GET", "http", HOST, f"/editor/{number}"), bo.token)).decision
        codes.add(await deny.keep(work, decision, "GET", f"{EDITOR}{number}"))
    assert len(codes) == 1
    kept = await deny.find(work, codes.pop())
    assert kept is not None
    assert kept.count == 5


@pytest.mark.parametrize(
    "code", ["", "x", "\x00", "s-", "s-x", "s-\u00e9", "s-" + "A" * 300, "AAAA-\u00e9AAA", "a" * 5000]
)
async def test_what_is_no_code_leads_nowhere(code: str, work: AuthWork) -> None:
    assert await deny.find(work, code) is None


async def test_a_sealed_code_cannot_be_changed(work: AuthWork) -> None:
    code = deny.seal(work, refuse_address("//"), "GET", "http://x.test/")
    assert await deny.find(work, code) is not None
    for place in (3, 20, len(code) - 3):
        other = "A" if code[place] != "A" else "B"
        assert await deny.find(work, code[:place] + other + code[place + 1 :]) is None


async def test_a_strangers_code_stays_short_enough_to_send(work: AuthWork) -> None:
    rule = Requirement(Asks.ROLE, "editor", source="rule 2 of Intranet (/editor/)")
    assert len(deny.seal(work, decide(Presented(), rule, work.now), "GET", "https://wiki.example.org/editor/x")) < 200
