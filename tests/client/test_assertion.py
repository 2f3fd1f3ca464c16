"""The verifier any service may use: genuine assertions only, whatever a forger claims in the token."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from ostiary_client import assertion
from ostiary_client.assertion import AssertionInvalid, KeysUnavailable, Verifier, verify_assertion

ISSUER = "https://login.example.test"
HOST = "wiki.example.test"
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
STRANGER = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
JWKS: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    facts = {"iss": ISSUER, "aud": HOST, "sub": "7", "email": "bo@example.test", "name": "Bö", "roles": ["editor"],
             "sid": "9", "iat": now, "exp": now + 60, **changes}  # fmt: skip
    return {name: value for name, value in facts.items() if value is not None}


def signed(key: ECKey = KEY, **changes: object) -> str:
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims(**changes), key)


def verify(token: str) -> assertion.Assertion:
    return verify_assertion(token, audience=HOST, issuer=ISSUER, jwks=JWKS)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_genuine_assertion_says_who_it_is() -> None:
    said = verify(signed())
    assert (said.sub, said.email, said.name, said.roles, said.sid) == ("7", "bo@example.test", "Bö", ("editor",), "9")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "mail.example.test"},
        {"aud": None},
        {"aud": ""},
        {"iss": "https://evil.example.test"},
        {"iss": None},
        {"exp": int(time.time()) - 6},
        {"exp": None},
        {"exp": "never"},
        {"iat": int(time.time()) + 86_400},
        {"iat": None},
        {"sub": None},
        {"roles": "admin"},
        {"roles": [1]},
        {"name": {}},
    ],
)
def test_for_another_host_time_or_issuer_it_proves_nothing(changes: dict[str, object]) -> None:
    with pytest.raises(AssertionInvalid):
        verify(signed(KEY, **changes))


def test_a_clock_may_be_a_few_seconds_off() -> None:
    assert verify(signed(exp=int(time.time()) - 2)).sub == "7"


def test_the_algorithm_is_ours_to_choose() -> None:
    unsigned = f"{part({'alg': 'none', 'kid': KEY.kid})}.{part(claims())}."
    public = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))
    confused = jwt.encode({"alg": "HS256", "kid": KEY.kid}, claims(), public, algorithms=["HS256"])
    for token in (unsigned, confused, signed(STRANGER), signed().replace(part(claims())[:5], "eyJoA", 1)):
        with pytest.raises(AssertionInvalid):
            verify(token)


def test_a_strangers_key_under_our_name_is_found_out() -> None:
    forged = jwt.encode({"alg": "ES256", "kid": KEY.kid, "jwk": STRANGER.as_dict(private=False)}, claims(), STRANGER)
    with pytest.raises(AssertionInvalid):
        verify(forged)


@given(st.text(max_size=60) | st.tuples(*[st.text("eyJ.abc019-_{}", max_size=30)] * 3).map(".".join))
def test_no_garbage_makes_it_raise_anything_else(text: str) -> None:
    for token in (text, "x" * 20_000, part([]) + "." + part([]) + "."):
        with pytest.raises(AssertionInvalid):
            verify(token)


class Keys:
    """Ostiary's list of keys over HTTP, counted."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Any = JWKS
        self.status = 200
        self.url = ""

    async def give(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def keys() -> AsyncIterator[Keys]:
    found = Keys()
    app = web.Application()
    app.router.add_get("/.well-known/jwks.json", found.give)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_keys_are_fetched_once_and_again_when_a_new_one_appears(
    keys: Keys, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Verifier(http, keys.url + "/", HOST)
    for _ in range(3):
        assert (await verifier.verify(signed(iss=keys.url))).sub == "7"
    assert keys.asked == 1
    keys.answer = {"keys": [*JWKS["keys"], STRANGER.as_dict(private=False)]}
    for _ in range(3):
        with pytest.raises(AssertionInvalid):
            await verifier.verify(signed(STRANGER, iss=keys.url))
    assert keys.asked == 1  # a flood of made-up keys is not passed on
    monkeypatch.setattr(assertion, "ASK_AGAIN_SECONDS", 0.0)
    assert (await verifier.verify(signed(STRANGER, iss=keys.url))).sub == "7"
    assert keys.asked == 2


@pytest.mark.parametrize(
    ("status", "answer"), [(500, {}), (200, []), (200, {"keys": 1}), (302, {}), (200, {"keys": "x" * 300_000})]
)
async def test_without_keys_nobody_is_believed(
    keys: Keys, http: aiohttp.ClientSession, status: int, answer: Any
) -> None:
    keys.status, keys.answer = status, answer
    verifier = Verifier(http, keys.url, HOST)
    for _ in range(3):
        with pytest.raises((KeysUnavailable, AssertionInvalid)):
            await verifier.verify(signed(iss=keys.url))
    assert keys.asked == 1


async def test_odd_keys_in_the_list_are_no_reason_to_fall_over(keys: Keys, http: aiohttp.ClientSession) -> None:
    keys.answer = {"keys": [None, 7, *JWKS["keys"]]}
    assert (await Verifier(http, keys.url, HOST).verify(signed(iss=keys.url))).sub == "7"
