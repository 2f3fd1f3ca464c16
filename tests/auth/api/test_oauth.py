"""OAuth for services: tokens for credentials, introspection, revocation, in the words of the RFCs."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from quart import Response

from ostiary_auth.flows import api_tokens, service_clients, sign_assertion, signing_keys
from ostiary_auth.flows.api_tokens import Made, Wish
from ostiary_auth.flows.service_clients import Credentials
from ostiary_auth.tools import Desk
from ostiary_client import Service as Trusted
from ostiary_client import verify_service_token
from ostiary_client.assertion import AssertionInvalid, verify_assertion
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.store import service_clients as store
from ostiary_shared.store import sessions as living
from ostiary_shared.tokens import digest
from tests.auth import people
from tests.auth.browser import Client
from tests.make import PASSWORD, Person, make_person

US = "http://localhost"


@dataclass
class Service:
    """A service at the door."""

    client: Client
    known: Credentials

    @property
    def basic(self) -> dict[str, str]:
        """Its credentials as a header."""
        return basic(self.known.client_id, self.known.secret)

    async def token(self, scope: str = "") -> str:
        """A fresh token."""
        answer = await self.ask("token", {"grant_type": "client_credentials", "scope": scope}, self.basic)
        assert answer.status_code == 200, await answer.get_json()
        found: str = (await answer.get_json())["access_token"]
        return found

    async def ask(self, what: str, form: dict[str, str], headers: dict[str, str] | None = None) -> Response:
        """A form to one of the doors."""
        answer: Response = await self.client.post(f"/oauth/{what}", form=form, headers=headers or {})
        return answer

    async def introspect(self, token: str) -> dict[str, Any]:
        """What is said of a token."""
        answer = await self.ask("introspect", {"token": token}, self.basic)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        found: dict[str, Any] = await answer.get_json()
        return found


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


async def known(desk: Desk, name: str = "The Wiki!", *scopes: str) -> Credentials:
    async with desk.begin() as work:
        return await service_clients.create(work, name, scopes)


@pytest.fixture
async def wiki(auth: Client, desk: Desk) -> Service:
    return Service(auth, await known(desk, "The Wiki!", "read", "write"))


@pytest.fixture
async def ada(sessions: Sessions, desk: Desk) -> Person:
    return await make_person(sessions, desk.tools, holds=("support",))


async def program(desk: Desk, *scopes: str) -> str:
    """A token of Ada's for a program."""
    who = await people.identity(desk, password=PASSWORD)
    made = await api_tokens.create(desk, who, Wish("x", scopes, 1), PASSWORD)
    assert isinstance(made, Made)
    return made.value


async def test_a_service_gets_a_signed_token_for_its_credentials(wiki: Service) -> None:
    form = {"grant_type": "client_credentials"}
    in_body = {**form, "client_id": wiki.known.client_id, "client_secret": wiki.known.secret}
    for headers, sent, scope in (
        (wiki.basic, form, "read write"),
        ({}, in_body, "read write"),
        (wiki.basic, {**form, "scope": "write", "unknown": "x"}, "write"),
        (wiki.basic, {**form, "client_id": wiki.known.client_id}, "read write"),
    ):
        answer = await wiki.ask("token", sent, headers)
        body = await answer.get_json()
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert {key: body[key] for key in ("token_type", "expires_in", "scope")} == {
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": scope,
        }
        jwks = await (await wiki.client.get("/.well-known/jwks.json")).get_json()
        found = jwt.decode(body["access_token"], KeySet.import_key_set(jwks), algorithms=["ES256"])
        assert (found.header["typ"], found.header["alg"]) == ("at+jwt", "ES256")
        said = found.claims
        assert (said["iss"], said["aud"], said["scope"]) == (US, US, scope)
        assert said["sub"] == said["client_id"] == wiki.known.client_id
        assert said["exp"] - said["iat"] == 300
        assert len(said["jti"]) == 32
        checked = verify_service_token(body["access_token"], issuer=US, jwks=jwks)
        assert checked == Trusted(wiki.known.client_id, frozenset(scope.split()))


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "read admin"}, 400, "invalid_scope"),
        ({"grant_type": "client_credentials", "client_secret": "twice"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "another"}, 400, "invalid_request"),
    ],
)
async def test_errors_are_those_of_the_rfc(wiki: Service, form: dict[str, str], status: int, error: str) -> None:
    answer = await wiki.ask("token", form, wiki.basic)
    body = await answer.get_json()
    assert (answer.status_code, body["error"]) == (status, error)
    assert set(body) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_parameter_twice_and_another_kind_of_body_are_refused(wiki: Service) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", **wiki.basic}
    twice = await wiki.client.post("/oauth/token", headers=form, data="grant_type=client_credentials&scope=a&scope=b")
    assert (twice.status_code, (await twice.get_json())["error"]) == (400, "invalid_request")
    as_json = await wiki.client.post("/oauth/token", headers=wiki.basic, json={"grant_type": "client_credentials"})
    assert (as_json.status_code, (await as_json.get_json())["error"]) == (400, "invalid_request")


async def test_whatever_is_wrong_with_the_credentials_the_answer_is_the_same(wiki: Service, desk: Desk) -> None:
    off = await known(desk, "Off")
    async with desk.begin() as work:
        await store.switch_off(work.session, off.id, work.now)
    wrong = [
        basic(wiki.known.client_id, "oc_wrong"),
        basic("nobody", wiki.known.secret),
        basic(off.client_id, off.secret),
        basic(wiki.known.client_id, ""),
        basic("\0", "\0"),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {},
    ]
    seen = set()
    for headers in wrong:
        for what, form in (("token", {"grant_type": "client_credentials"}), ("introspect", {"token": "x"})):
            answer = await wiki.ask(what, form, headers)
            seen.add((answer.status_code, answer.headers["WWW-Authenticate"], await answer.get_data(as_text=True)))
    assert len(seen) == 1
    [(status, challenge, body)] = seen
    assert (status, challenge) == (401, 'Basic realm="ostiary"')
    assert '"invalid_client"' in body


async def test_a_new_secret_replaces_the_old_one(wiki: Service, desk: Desk) -> None:
    async with desk.begin() as work:
        fresh = await service_clients.replace_secret(work, wiki.known.id)
    form = {"grant_type": "client_credentials"}
    assert (await wiki.ask("token", form, wiki.basic)).status_code == 401
    assert (await wiki.ask("token", form, basic(fresh.client_id, fresh.secret))).status_code == 200
    kept = await people.rows(desk, "SELECT secret_digest, row_to_json(c)::text FROM service_clients c")
    assert fresh.secret not in kept[0][1]
    assert len(kept[0][0]) == 32


async def test_a_service_learns_of_a_person_what_they_may_do(wiki: Service, ada: Person, desk: Desk) -> None:
    session = await wiki.introspect(ada.token)
    assert session["permissions"] == sorted(
        ["denials:read", "messages:read", "sessions:end", "sessions:read", "users:read", "users:recover"]
    )
    assert {key: session[key] for key in ("active", "token_type", "sub", "username", "roles", "iss", "aud")} == {
        "active": True,
        "token_type": "Bearer",
        "sub": str(ada.id),
        "username": ada.email,
        "roles": ["support"],
        "iss": US,
        "aud": US,
    }
    assert session["exp"] > session["iat"] > 0
    assert "role:support" in session["scope"].split()
    narrow = await wiki.introspect(await program(desk, "role:support", "users:read"))
    assert (narrow["roles"], narrow["permissions"]) == (["support"], ["users:read"])
    assert narrow["scope"] == "role:support users:read"
    bare = await wiki.introspect(await program(desk))
    assert (bare["active"], bare["roles"], bare["permissions"], bare["scope"]) == (True, [], [], "")


async def test_of_a_service_it_says_what_it_is_and_that_it_is_nobody(wiki: Service, desk: Desk) -> None:
    token = await wiki.token("read")
    other = Service(wiki.client, await known(desk, "Other"))
    for asker in (wiki, other):
        said = await asker.introspect(token)
        assert (said["active"], said["client_id"], said["scope"]) == (True, wiki.known.client_id, "read")
        assert (said["roles"], said["permissions"], "username" in said) == ([], [], False)
    by_token = await wiki.ask("introspect", {"token": token}, {"Authorization": f"Bearer {token}"})
    assert (await by_token.get_json())["active"] is True


async def test_a_service_alone_opens_nothing_of_anybodys(wiki: Service, ada: Person) -> None:
    token = await wiki.token()
    for headers in ({"Authorization": f"Bearer {token}"}, wiki.basic):
        for path in ("/api/v1/session", "/api/v1/account", "/api/v1/account/tokens", "/api/v1/denials/x"):
            answer = await wiki.client.get(path, headers={**headers, "Accept": "application/json"})
            assert answer.status_code == 401, path
    jwks = await (await wiki.client.get("/.well-known/jwks.json")).get_json()
    with pytest.raises(AssertionInvalid):
        verify_assertion(token, audience="localhost", issuer=US, jwks=jwks)


async def test_of_everything_else_it_says_that_it_is_dead_and_nothing_more(
    wiki: Service, ada: Person, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await people.identity(desk, password=PASSWORD)
    async with desk.begin() as work:
        assertion = await sign_assertion.sign(work, who, "localhost")
        to_us = await sign_assertion.sign(work, who, US)
        await living.end_by_token(work.session, digest(ada.token), work.now, "x")
    live = await wiki.token()
    head, body, tail = live.split(".")
    dead = ["x", "os_" + "a" * 55, "osp_" + "a" * 55, "oh_" + "a" * 55, ada.token, assertion, to_us, "\0", "a.b.c"]
    dead += [f"{head}.{body}.{tail[::-1]}", f"{head}.{body}.", wiki.known.secret, "é" * 9000]
    for token in dead:
        assert await wiki.introspect(token) == {"active": False}, token
    later = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await wiki.introspect(live) == {"active": False}


async def test_what_we_sign_for_others_or_of_another_kind_is_no_service_token(wiki: Service, desk: Desk) -> None:
    good = await wiki.token()
    desk.tools.keyring.key = None  # that of another test's database
    async with desk.begin() as work:
        key = await signing_keys.current(work)
    header = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}
    claims = jwt.decode(good, key, algorithms=["ES256"]).claims
    for head, body, active in (
        ({}, {}, True),
        ({"typ": "JWT"}, {}, False),
        ({}, {"aud": "wiki.test"}, False),
        ({}, {"iss": "https://evil.example"}, False),
        ({}, {"client_id": "somebody-else"}, False),
    ):
        token = jwt.encode({**header, **head}, {**claims, **body}, key, algorithms=["ES256"])
        assert (await wiki.introspect(token))["active"] is active, (head, body)
    forged = jwt.encode(header, claims, ECKey.generate_key("P-256"), algorithms=["ES256"])
    assert await wiki.introspect(forged) == {"active": False}


async def test_who_asks_by_a_token_must_have_got_it_for_credentials(wiki: Service, ada: Person, desk: Desk) -> None:
    for bearer in (ada.token, await program(desk), "x"):
        answer = await wiki.ask("introspect", {"token": ada.token}, {"Authorization": f"Bearer {bearer}"})
        assert (answer.status_code, (await answer.get_json())["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert (await wiki.ask("introspect", {}, wiki.basic)).status_code == 400


async def test_what_a_service_got_dies_with_it(wiki: Service, desk: Desk) -> None:
    other = Service(wiki.client, await known(desk, "Other"))
    token = await wiki.token()
    async with desk.begin() as work:
        assert await store.switch_off(work.session, wiki.known.id, work.now)
    assert await other.introspect(token) == {"active": False}
    async with desk.begin() as work:
        assert await store.switch_on(work.session, wiki.known.id)
    assert (await other.introspect(token))["active"] is True
    async with desk.begin() as work:
        await service_clients.delete(work, wiki.known.id)
    assert await other.introspect(token) == {"active": False}


async def test_a_person_or_their_program_hands_a_token_back_by_showing_it(
    wiki: Service, ada: Person, desk: Desk
) -> None:
    for token in (ada.token, await program(desk)):
        assert (await wiki.introspect(token))["active"] is True
        for _ in range(2):
            assert (await wiki.ask("revoke", {"token": token})).status_code == 200
        assert await wiki.introspect(token) == {"active": False}
    events = await people.rows(desk, "SELECT event, target FROM audit_events WHERE event LIKE 'user:%ed' ORDER BY at")
    assert ("user:session:ended", "") in [(event, "") for event, _ in events]
    assert ("user:token:revoked", ada.email) in [tuple(row) for row in events]


async def test_a_service_hands_back_its_own_tokens_alone_and_is_always_told_that_all_is_well(
    wiki: Service, desk: Desk
) -> None:
    other = Service(wiki.client, await known(desk, "Other"))
    token = await wiki.token()
    for headers in (other.basic, {}):
        assert (await wiki.ask("revoke", {"token": token}, headers)).status_code == 200
        assert (await wiki.introspect(token))["active"] is True
    assert (await wiki.ask("revoke", {"token": token}, basic(wiki.known.client_id, "no"))).status_code == 401
    for _ in range(2):
        assert (await wiki.ask("revoke", {"token": token}, wiki.basic)).status_code == 200
    assert await wiki.introspect(token) == {"active": False}
    refused = await wiki.ask("introspect", {"token": "x"}, {"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401
    for junk in ("x", "a.b.c", "os_" + "a" * 55):
        assert (await wiki.ask("revoke", {"token": junk}, wiki.basic)).status_code == 200
    assert (await wiki.ask("revoke", {}, wiki.basic)).status_code == 400


async def test_the_metadata_names_doors_that_are_there(wiki: Service) -> None:
    said = await (await wiki.client.get("/.well-known/oauth-authorization-server")).get_json()
    assert (said["issuer"], said["grant_types_supported"]) == (US, ["client_credentials"])
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert (await wiki.client.post(said[name].removeprefix(US), form={})).status_code in {400, 401}
    assert (await wiki.client.get(said["jwks_uri"].removeprefix(US))).status_code == 200


async def test_acts_on_services_are_on_record_and_questions_are_not(wiki: Service, ada: Person, desk: Desk) -> None:
    await wiki.introspect(ada.token)
    await wiki.token()
    found = await people.rows(desk, "SELECT event, target, after FROM audit_events WHERE event LIKE 'admin:%'")
    facts = {"client_id": wiki.known.client_id, "scopes": ["read", "write"]}
    assert [tuple(row) for row in found] == [("admin:service:created", "The Wiki!", facts)]
    assert wiki.known.client_id.startswith("the-wiki-")
