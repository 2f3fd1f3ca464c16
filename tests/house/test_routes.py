"""Laws 2 and 9, asked of every route of both services: who may enter, forged requests, headers."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from quart import Quart, Response

from ostiary_shared.access import Asks
from ostiary_shared.limit import Limit
from ostiary_shared.web import csrf
from ostiary_shared.web.door import Unlimited
from tests.house.routes import Door, doors

JSON = {"Accept": "application/json"}
FORGED = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]
# What may change something although another site could have sent it, and why.
NO_CSRF = {
    "gate.forward": "a proxy asks about somebody else's request and nothing is changed, whatever the method",
    "gate_nginx.nginx": "the same",
}
# What is the same for everybody and may be kept by any cache.
PUBLIC = {"assets", "api_jwks.jwks", "at_site.script"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Answers:
    """Asks doors and keeps those that answered otherwise than they should."""

    app: Quart
    wrong: list[str] = field(default_factory=list)

    async def ask(self, door: Door, headers: dict[str, str]) -> Response:
        """One request by a stranger with an empty jar of cookies."""
        client: Any = self.app.test_client(use_cookies=False)
        response: Response = await client.open(door.path, method=door.method, headers=headers)
        return response

    def expect(self, door: Door, holds: object, seen: object) -> None:
        """Note the door unless it holds."""
        if not holds:
            self.wrong.append(f"{door}: {seen}")


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix asks more often than a person may; that a limit is declared is looked at by itself."""

    async def pass_by(*_: object) -> None: ...

    monkeypatch.setattr("ostiary_shared.web.door._count", pass_by)


async def test_every_route_declares_guard_limit_and_stance(app: Quart) -> None:
    found = list(doors(app))
    assert len(found) > 20
    for each in found:
        limit = each.stance.limit
        if isinstance(limit, Unlimited):
            assert len(limit.why) > 10, each
            assert not each.changes or each.endpoint in NO_CSRF, f"{each} changes something without a limit"
        else:
            assert isinstance(limit[1], Limit), each


async def test_a_route_that_changes_something_says_why_it_needs_no_csrf(app: Quart) -> None:
    bare = {each.endpoint for each in doors(app) if each.changes and each.stance.csrf is csrf.Stance.NOT_NEEDED}
    assert bare <= set(NO_CSRF)


@pytest.mark.parametrize("headers", FORGED, ids=str)
async def test_what_another_site_sent_is_refused(app: Quart, headers: dict[str, str]) -> None:
    answers = Answers(app)
    for each in doors(app):
        if each.changes and each.endpoint not in NO_CSRF:
            response = await answers.ask(each, {**JSON, **headers})
            body = await response.get_json(silent=True) or {}
            answers.expect(each, (response.status_code, body.get("code")) == (403, "cross_site"), response.status)
    assert answers.wrong == []


async def test_a_program_that_is_not_let_in_is_told_so(app: Quart) -> None:
    answers = Answers(app)
    for each in doors(app):
        if each.stance.guard.asks is not Asks.ANYONE and each.method != "OPTIONS":
            response = await answers.ask(each, JSON)
            answers.expect(each, response.status_code == 401, response.status)
            answers.expect(each, "WWW-Authenticate" in response.headers, "no WWW-Authenticate")
            if each.method != "HEAD":
                body = await response.get_json()
                answers.expect(each, body["code"] == "unauthenticated" and "reference" in body, body)
    assert answers.wrong == []


async def test_a_browser_that_is_not_let_in_is_sent_to_sign_in(app: Quart) -> None:
    answers = Answers(app)
    for each in doors(app):
        if each.stance.guard.asks is not Asks.ANYONE and each.method == "GET" and "/api/" not in each.path:
            response = await answers.ask(each, {"Accept": "text/html"})
            target = response.headers.get("Location", "")
            answers.expect(each, response.status_code == 303 and target.startswith("/login?next=%2F"), target)
    assert answers.wrong == []


async def test_a_made_up_token_opens_nothing(app: Quart) -> None:
    answers = Answers(app)
    for each in doors(app):
        if each.stance.guard.asks is not Asks.ANYONE and each.method in {"GET", "POST"}:
            response = await answers.ask(each, {**JSON, "Authorization": "Bearer os_" + "A" * 55})
            answers.expect(each, response.status_code in {401, 503}, response.status)
    assert answers.wrong == []


async def test_every_answer_carries_the_headers(app: Quart) -> None:
    answers = Answers(app)
    for each in doors(app):
        for accept in (JSON, {"Accept": "text/html"}):
            response = await answers.ask(each, accept)
            answers.expect(each, response.status_code not in {500, 502}, response.status)
            judge(answers, each, response)
    assert answers.wrong == []


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_even_a_mistake_is_answered_with_the_headers(app: Quart, accept: str) -> None:
    answers, some = Answers(app), next(doors(app))
    prefix = "/admin" if app.name == "ostiary_admin" else ""
    client = app.test_client(use_cookies=False)
    health = f"{prefix}/healthz"
    asked = {
        404: await client.get(f"{prefix}/no/such/page", headers={"Accept": accept}),
        405: await client.delete(health, headers={"Accept": accept}),
    }
    readers = [each for each in doors(app) if each.method == "POST" and each.stance.guard.asks is Asks.ANYONE]
    if readers:  # the console reads nothing from strangers
        form = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"}
        asked[413] = await client.post(readers[-1].path, headers=form, data=b"a" * 70_000)
    for status, response in asked.items():
        answers.expect(some, response.status_code == status, f"{status} wanted, {response.status} came")
        judge(answers, some, response)
        kind = "application/problem+json" if accept == "application/json" else "text/html"
        answers.expect(some, response.mimetype == kind, response.mimetype)
    assert answers.wrong == []


def judge(answers: Answers, door: Door, response: Response) -> None:
    """Note a door whose answer lacks one of the promised headers."""
    headers = response.headers
    for name, value in HEADERS.items():
        answers.expect(door, headers.get(name) == value, f"{name}: {headers.get(name)}")
    policy = headers.get("Content-Security-Policy", "")
    answers.expect(door, "default-src 'none'" in policy and "unsafe" not in policy, policy)
    if response.mimetype == "text/html":
        answers.expect(door, "require-trusted-types-for 'script'" in policy, policy)
    answers.expect(door, headers.get("Referrer-Policy") in {"same-origin", "no-referrer"}, "Referrer-Policy")
    answers.expect(door, "Cookie" in headers.get("Vary", ""), "Vary")
    cached = headers.get("Cache-Control", "")
    public = door.endpoint in PUBLIC and response.status_code < 300
    answers.expect(door, public or "no-store" in cached, f"Cache-Control: {cached}")
