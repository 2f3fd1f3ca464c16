"""Tokens of services: only what Ostiary signed as one, for itself, and not long ago."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ostiary_client.assertion import MAX_TOKEN, AssertionInvalid
from ostiary_client.service_token import Service, verify_service_token
from ostiary_client.trust import Trust
from ostiary_client.verifier import SyncVerifier, Verifier
from tests.client.conftest import FakeAuth
from tests.client.test_assertion import HOST, ISSUER, JWKS, KEY, STRANGER


def token(key: ECKey = KEY, kind: str | None = "at+jwt", **changes: object) -> str:
    now = int(time.time())
    said = {"iss": ISSUER, "aud": ISSUER, "sub": "wiki-1", "client_id": "wiki-1", "scope": "read write",
            "iat": now, "exp": now + 300, "jti": "1", **changes}  # fmt: skip
    header = {"alg": "ES256", "kid": key.kid} | ({"typ": kind} if kind else {})
    return jwt.encode(header, {name: value for name, value in said.items() if value is not None}, key)


def verify(text: str) -> Service:
    return verify_service_token(text, issuer=ISSUER, jwks=JWKS)


def test_a_genuine_token_says_which_service_and_what_for() -> None:
    said = verify(token())
    assert said == Service("wiki-1", frozenset({"read", "write"}))
    assert (said.may("read"), said.may("delete")) == (True, False)
    for nothing in ("", None):
        assert verify(token(scope=nothing)) == Service("wiki-1")


@pytest.mark.parametrize("kind", ["JWT", "AT+JWT", None])
def test_what_ostiary_signs_for_another_purpose_is_no_service(kind: str | None) -> None:
    with pytest.raises(AssertionInvalid, match="not genuine"):
        verify(token(kind=kind))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.test"}, {"aud": HOST}, {"aud": None}, {"iss": None}, {"client_id": None},
        {"client_id": ""}, {"client_id": 7}, {"scope": ["read"]}, {"exp": None}, {"iat": None}, {"exp": "soon"},
    ],
)  # fmt: skip
def test_with_other_claims_it_proves_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionInvalid, match="not genuine"):
        verify(token(**changes))


def test_a_token_that_is_over_overlong_or_of_a_strangers_key_proves_nothing() -> None:
    with pytest.raises(AssertionInvalid, match="is over"):
        verify(token(exp=int(time.time()) - 60))
    with pytest.raises(AssertionInvalid, match="too long"):
        verify("x" * (MAX_TOKEN + 1))
    for text in (token(STRANGER), "", "x", "a.b.c", token()[:-4]):
        with pytest.raises(AssertionInvalid):
            verify(text)


async def test_both_verifiers_fetch_the_keys_for_it(fake: FakeAuth) -> None:
    fake.answer = JWKS
    trust = Trust(issuer=fake.url, audience=HOST)
    genuine = token(iss=fake.url, aud=fake.url)
    assert SyncVerifier(trust).service(genuine).client_id == (await Verifier(trust).service(genuine)).client_id
    assert [path for path, _ in fake.asked] == ["/.well-known/jwks.json"] * 2
    with pytest.raises(AssertionInvalid):
        SyncVerifier(trust).verify(genuine)
    with pytest.raises(AssertionInvalid):
        await Verifier(trust).service(token(STRANGER))
