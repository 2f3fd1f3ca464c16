"""The gate's answers: who passes with which headers, who is sent where, and who is not even heard."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quart import Quart

from ostiary_auth.gate.answers import IDENTITY_HEADERS, header_safe
from ostiary_client.assertion import verify_assertion
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site
from ostiary_shared.store import roles, users
from ostiary_shared.store import sessions as session_rows
from tests.auth.gate.conftest import HOST, Ask, Guest, add_guest

PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
DOORS = ("/gate", "/gate/nginx")


@pytest.mark.parametrize("door", DOORS)
async def test_a_person_passes_with_every_identity_header(door: str, ask: Ask, site: Site, ed: Guest) -> None:
    answer = await ask("/editor/x", ed.cookie, door=door)
    assert answer.status_code == 200
    values = [answer.headers[name] for name in IDENTITY_HEADERS]
    assert values[:4] == [str(ed.user.id), "ed@example.test", "Ed", "editor,end-user"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == "0"
    assert "Set-Cookie" not in answer.headers


async def test_the_assertion_verifies_with_the_published_keys(app: Quart, ask: Ask, site: Site, bo: Guest) -> None:
    signed = (await ask("/wiki", bo.cookie)).headers["X-Ostiary-Assertion"]
    published = await app.test_client().get("/.well-known/jwks.json")
    assert published.headers["Cache-Control"] == "public, max-age=300"
    jwks = await published.get_json()
    assert all("d" not in key for key in jwks["keys"])
    said = verify_assertion(signed, audience=HOST, issuer="http://localhost", jwks=jwks)
    assert (said.id, said.email, said.name, said.roles) == (
        str(bo.user.id),
        "bo@example.test",
        "Bo Böhm",
        ("end-user",),
    )
    claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] <= 60
    assert "permissions" not in claims  # nobody's header is longer for what they do not hold


async def test_an_assertion_names_the_permissions_that_are_held(
    app: Quart, ask: Ask, site: Site, sessions: Sessions
) -> None:
    ada = await add_guest(sessions, "ada@example.test", "auditor")
    signed = (await ask("/wiki", ada.cookie)).headers["X-Ostiary-Assertion"]
    jwks = await (await app.test_client().get("/.well-known/jwks.json")).get_json()
    said = verify_assertion(signed, audience=HOST, issuer="http://localhost", jwks=jwks)
    assert said.may("audit:read")
    assert not said.may("users:delete")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("cookie", [{}, {"Cookie": "ostiary=garbage"}, {"Cookie": "ostiary=os_" + "A" * 55}])
async def test_where_anyone_may_enter_all_headers_are_there_and_empty(
    door: str, cookie: dict[str, str], ask: Ask, site: Site
) -> None:
    answer = await ask("/public/x", cookie, door=door)
    assert answer.status_code == 200
    assert {answer.headers[name] for name in IDENTITY_HEADERS} == {""}


async def test_where_anyone_may_enter_a_person_is_still_known(ask: Ask, site: Site, bo: Guest) -> None:
    answer = await ask("/public/x", bo.cookie)
    assert answer.headers["Remote-User"] == str(bo.user.id)


async def test_our_bearer_token_counts_and_a_foreign_one_does_not_hide_the_cookie(
    ask: Ask, site: Site, bo: Guest
) -> None:
    assert (await ask("/wiki", {"Authorization": f"Bearer {bo.token}"})).status_code == 200
    assert (await ask("/wiki", {"Authorization": "Bearer the-sites-own", **bo.cookie})).status_code == 200
    assert (await ask("/wiki", {"Authorization": "Basic eDp5", **bo.cookie})).status_code == 200
    assert (await ask("/wiki", {"Authorization": "Bearer the-sites-own"})).status_code == 401


@pytest.mark.parametrize("how", [PAGE, {"Accept": "text/html,application/xhtml+xml"}])
async def test_a_page_navigation_is_sent_to_sign_in_and_will_come_back(
    how: dict[str, str], ask: Ask, site: Site
) -> None:
    answer = await ask("/wiki/Fr%C3%BChling?a=1&b=%26x", how)
    assert answer.status_code == 302
    place = urlsplit(answer.headers["Location"])
    assert (place.scheme, place.netloc, place.path) == ("http", HOST, "/.ostiary/sign-in")
    assert parse_qs(place.query)["next"] == ["/wiki/Fr%C3%BChling?a=1&b=%26x"]


@pytest.mark.parametrize(
    ("how", "method"),
    [
        ({"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, "GET"),
        ({"Sec-Fetch-Mode": "websocket"}, "GET"),
        ({"Accept": "text/event-stream"}, "GET"),
        ({"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, "GET"),
        ({}, "GET"),
        (PAGE, "POST"),
    ],
)
async def test_a_program_is_told_in_json_and_never_redirected(
    how: dict[str, str], method: str, ask: Ask, site: Site
) -> None:
    answer = await ask("/wiki", how, method=method)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    body = json.loads(await answer.get_data())
    assert body["code"] == "unauthenticated"
    assert body["reference"]
    assert body["sign_in"] == f"http://{HOST}/.ostiary/sign-in?next=%2F"


async def test_nginx_learns_both_ways_forward_and_only_three_statuses(ask: Ask, site: Site, bo: Guest) -> None:
    stranger = await ask("/wiki?a=1", PAGE, door="/gate/nginx")
    assert stranger.status_code == 401
    assert stranger.headers["X-Ostiary-Sign-In"] == f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki%3Fa%3D1"
    refused = await ask("/editor/", {**PAGE, **bo.cookie}, door="/gate/nginx")
    assert refused.status_code == 403
    assert refused.headers["X-Ostiary-Denied"] == f"http://localhost/denied/{refused.headers['X-Ostiary-Reference']}"


async def test_without_the_role_a_page_is_sent_to_the_reasons_and_a_program_told(
    ask: Ask, site: Site, bo: Guest
) -> None:
    page = await ask("/editor/", {**PAGE, **bo.cookie})
    program = await ask("/editor/x", bo.cookie)
    assert (page.status_code, program.status_code) == (302, 403)
    body = json.loads(await program.get_data())
    assert page.headers["Location"] == body["explanation"] == f"http://localhost/denied/{body['reference']}"
    assert "editor" not in body["detail"]


@pytest.mark.parametrize(
    ("uri", "method", "status"),
    [
        ("/public", "GET", 200), ("/public/", "DELETE", 200), ("/publicity", "GET", 403), ("/feed", "GET", 200),
        ("/feed", "HEAD", 200), ("/feed", "POST", 403), ("/nowhere", "GET", 403), ("/editor", "GET", 401),
        ("/audit/", "GET", 401), ("/", "GET", 403), ("/edito%72/", "GET", 403), ("/public/../editor/", "GET", 403),
    ],
)  # fmt: skip
async def test_the_first_rule_that_covers_path_and_method_decides_and_none_means_closed(
    uri: str, method: str, status: int, ask: Ask, site: Site
) -> None:
    assert (await ask(uri, method=method)).status_code == status


async def test_a_permission_opens_its_part(ask: Ask, site: Site, sessions: Sessions, bo: Guest) -> None:
    auditor = await add_guest(sessions, "al@example.test", "auditor")
    assert (await ask("/audit/log", auditor.cookie)).status_code == 200
    assert (await ask("/audit/log", bo.cookie)).status_code == 403


async def test_an_unknown_site_is_closed_to_all_and_fills_no_record(
    ask: Ask, site: Site, bo: Guest, sessions: Sessions
) -> None:
    answer = await ask("/wiki", {"X-Forwarded-Host": "other.example.test", **bo.cookie})
    assert answer.status_code == 403
    assert json.loads(await answer.get_data())["reference"].startswith("s-")
    assert (
        (await ask("/wiki", {"X-Forwarded-Host": "other.example.test", **PAGE}))
        .headers["Location"]
        .startswith("http://localhost/denied/")
    )


@pytest.mark.parametrize("host", ["WIKI.Example.TEST", "wiki.example.test:8443", "wiki.example.test:80"])
async def test_case_and_port_of_the_host_change_nothing(host: str, ask: Ask, site: Site, bo: Guest) -> None:
    assert (await ask("/wiki", {"X-Forwarded-Host": host, **bo.cookie})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "wiki.example.test.",
        "wiki.example.test, x.test",
        "a@wiki.example.test",
        "wiki.example.test:0",
        "wiki..test",
        "wi%6Bi",
    ],
)
async def test_a_host_that_readers_may_take_differently_is_refused(host: str, ask: Ask, site: Site, bo: Guest) -> None:
    assert (await ask("/wiki", {"X-Forwarded-Host": host, **bo.cookie})).status_code == 403


@pytest.mark.parametrize("door", DOORS)
async def test_only_trusted_proxies_are_heard(door: str, ask: Ask, site: Site, bo: Guest) -> None:
    answer = await ask("/public", bo.cookie, peer="192.0.2.9", door=door)
    assert answer.status_code == 403
    body = json.loads(await answer.get_data())
    assert "OSTIARY_TRUSTED_PROXIES" in body["detail"]
    assert "192.0.2.9" in body["detail"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"])
async def test_a_missing_header_is_a_refusal_that_names_it(door: str, name: str, ask: Ask, site: Site) -> None:
    answer = await ask("/public", {name: None}, door=door)
    assert answer.status_code == 403
    assert name in json.loads(await answer.get_data())["detail"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_no_method_of_the_question_itself_slips_past_the_judgement(
    door: str, method: str, app: Quart, site: Site
) -> None:
    client: Any = app.test_client()
    answer = await client.open(door, method=method, scope_base={"client": ("127.0.0.1", 1)})
    assert answer.status_code == 403


async def test_a_lock_counts_at_the_next_request(ask: Ask, site: Site, bo: Guest, admin_sessions: Sessions) -> None:
    assert (await ask("/wiki", bo.cookie)).status_code == 200
    async with admin_sessions.begin() as session:
        await users.change(session, bo.user.id, locked_at=clock.now(), locked_reason="left")
    assert (await ask("/wiki", bo.cookie)).status_code == 403
    assert (await ask("/public", bo.cookie)).headers["Remote-User"] == ""


async def test_an_ended_session_counts_at_the_next_request(ask: Ask, site: Site, bo: Guest, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await session_rows.end_all(session, bo.user.id, clock.now(), "ended by administrator")
    assert (await ask("/wiki", bo.cookie)).status_code == 401


async def test_a_role_taken_away_counts_at_the_next_request(
    ask: Ask, site: Site, ed: Guest, admin_sessions: Sessions
) -> None:
    assert (await ask("/editor/", ed.cookie)).status_code == 200
    async with admin_sessions.begin() as session:
        role = await roles.find(session, "editor")
        assert role is not None
        await roles.revoke(session, ed.user.id, role.id, by=None, now=clock.now())
    assert (await ask("/editor/", ed.cookie)).status_code == 403


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=80))
async def test_no_malformed_cookie_opens_a_closed_part(ask: Ask, site: Site, cookie: str) -> None:
    for value in (f"ostiary={cookie}", cookie, f"ostiary=os_{cookie}"):
        assert (await ask("/wiki", {"Cookie": value})).status_code in {401, 403}


@given(st.text(max_size=40))
def test_no_value_can_break_out_of_its_header(value: str) -> None:
    safe = header_safe(value)
    assert all(ord(mark) >= 0x20 and not 0x7F <= ord(mark) <= 0x9F for mark in safe)
    safe.encode("utf-8")


FORM = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Referer": f"http://{HOST}/wiki/edit?page=7"}


async def test_a_form_of_somebody_whose_session_is_over_leads_back_to_its_page(ask: Ask, site: Site) -> None:
    back = f"http://{HOST}/.ostiary/sign-in?next=%2Fwiki%2Fedit%3Fpage%3D7"
    sent = await ask("/wiki/save", FORM, method="POST")
    assert (sent.status_code, sent.headers["Location"]) == (303, back)
    told = await ask("/wiki/save", FORM, method="POST", door="/gate/nginx")
    assert (told.status_code, told.headers["X-Ostiary-Redirect"], told.headers["X-Ostiary-Sign-In"]) == (
        401,
        "303",
        back,
    )


async def test_nginx_is_told_for_whom_a_redirect_will_do(ask: Ask, site: Site, bo: Guest) -> None:
    for headers, redirect in ((PAGE, "302"), ({"Sec-Fetch-Mode": "cors"}, "0")):
        stranger = await ask("/wiki", headers, door="/gate/nginx")
        refused = await ask("/editor/", {**headers, **bo.cookie}, door="/gate/nginx")
        assert [each.headers["X-Ostiary-Redirect"] for each in (stranger, refused)] == [redirect, redirect]
