"""The verifier any service may use: genuine assertions only, whatever a forger claims in the token."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from ostiary_client.assertion import AssertionInvalid, import_keys, verify_assertion
from ostiary_client.identity import Identity

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


def verify(token: str) -> Identity:
    return verify_assertion(token, audience=HOST, issuer=ISSUER, jwks=JWKS)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_genuine_assertion_says_who_it_is() -> None:
    said = verify(signed())
    assert said == Identity("7", "bo@example.test", "Bö", ("editor",), frozenset(), "9")
    assert verify(signed(permissions=["wiki:edit"])).may("wiki:edit")
    assert said.has_role("writer", "editor")
    assert not said.has_role("admin")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "mail.example.test"},
        {"aud": None},
        {"aud": ""},
        {"aud": [HOST]},
        {"aud": {}},
        {"sub": ""},
        {"sub": 7},
        {"permissions": "all"},
        {"permissions": [None]},
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


def test_an_overlong_assertion_is_not_even_looked_at() -> None:
    assert verify(signed(padding="x" * 8_000)).id == "7"
    with pytest.raises(AssertionInvalid, match="too long"):
        verify(signed(padding="x" * 16_000))


def test_a_clock_may_be_a_few_seconds_off() -> None:
    assert verify(signed(exp=int(time.time()) - 2)).id == "7"


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


@pytest.mark.parametrize("kind", ["at+jwt", "secevent+jwt", ""])
def test_what_ostiary_signs_for_another_purpose_is_no_assertion(kind: object) -> None:
    token = jwt.encode({"alg": "ES256", "kid": KEY.kid, "typ": kind}, claims(), KEY)
    with pytest.raises(AssertionInvalid):
        verify(token)
    assert verify(jwt.encode({"alg": "ES256", "kid": KEY.kid, "typ": "JWT"}, claims(), KEY)).id == "7"


def test_keys_of_other_kinds_may_stand_beside_ours() -> None:
    odd = [None, 7, {"kty": "EC"}, {"kty": "OKP"}, {"kty": "EC", "crv": "P-256", "x": 1, "y": []}]
    keys = import_keys([*odd, KEY.as_dict(private=True)])
    assert [key.kid for key in keys] == [KEY.kid]
    assert not keys.keys[0].is_private
    found = verify_assertion(signed(), audience=HOST, issuer=ISSUER, jwks={"keys": [*odd, *JWKS["keys"]]})
    assert found.id == "7"


@pytest.mark.parametrize("jwks", [{}, {"keys": []}, {"keys": "x"}, {"keys": None}])
def test_without_keys_nothing_is_genuine(jwks: dict[str, Any]) -> None:
    with pytest.raises(AssertionInvalid):
        verify_assertion(signed(), audience=HOST, issuer=ISSUER, jwks=jwks)
