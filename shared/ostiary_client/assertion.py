"""Is this identity header genuine? Checks `X-Ostiary-Assertion`, which the gate signs for one host and one minute.

Needs joserfc and nothing of ours; fetches nothing.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, Key, KeySet

from ostiary_client.identity import Identity

LEEWAY_SECONDS = 5
MAX_TOKEN = 16 * 1024
MAX_LOGGED = 200
# Ostiary signs other things with the same keys. Each says in its header what it is (RFC 8725, 3.11).
KINDS = frozenset({None, "JWT"})
# What joserfc and Python raise of a token that somebody made up.
ODD = (JoseError, ValueError, TypeError, KeyError, AttributeError)


class AssertionInvalid(Exception):
    """The header proves nothing; treat the request as nobody's. `cause` is one of few words, the text a sentence."""

    def __init__(self, words: str, cause: str = "assertion") -> None:
        super().__init__(words)
        self.cause = cause


class KeysUnavailable(Exception):
    """The keys could not be fetched, so nothing can be checked; let nobody in."""


def verify_assertion(token: str, *, audience: str, issuer: str, jwks: Mapping[str, Any]) -> Identity:
    """Who a genuine assertion for the host `audience` is about; raises AssertionInvalid for every other one.

    `issuer` is Ostiary's public address. Only ES256 counts, whatever the token itself claims (RFC 8725, 3.1).
    """
    return check(token, import_listed(jwks), issuer, {audience})


def check(token: str, keys: KeySet, issuer: str, audiences: Collection[str]) -> Identity:
    """The same with keys that were imported before, for one of several hosts."""
    if len(token) > MAX_TOKEN:
        raise AssertionInvalid("the assertion is too long")
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        found = jwt.decode(token, keys, algorithms=["ES256"])
        _meant_for_us(found.header.get("typ"), found.claims, issuer, audiences)
        rules.validate(found.claims)
        return _read(found.claims)
    except ExpiredTokenError as error:
        raise AssertionInvalid("the assertion is over a minute old, or the clocks differ", "time") from error
    except ODD as error:
        raise AssertionInvalid(f"the assertion is not genuine: {type(error).__name__}") from error


def import_listed(jwks: Mapping[str, Any]) -> KeySet:
    """The keys of a JSON Web Key Set; none of what is no such set."""
    listed = jwks.get("keys")
    return import_keys(listed if isinstance(listed, list) else [])


def import_keys(listed: Iterable[object]) -> KeySet:
    """The keys of a JSON Web Key Set that can check ES256. Others may stand beside them one day; they are left out."""
    keys: list[Key] = []
    for entry in listed:
        try:
            if isinstance(entry, dict) and entry.get("kty") == "EC":
                keys.append(ECKey.import_key({name: value for name, value in entry.items() if name != "d"}))
        except ODD:
            continue
    return KeySet(keys)


def key_id(token: str) -> str:
    """The key that a token says it was signed with; empty when it says nothing readable."""
    head = token[:MAX_TOKEN].partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return ""
    found = header.get("kid") if isinstance(header, dict) else None
    return found if isinstance(found, str) else ""


def _meant_for_us(kind: object, claims: Mapping[str, Any], issuer: str, audiences: Collection[str]) -> None:
    """Asked once the signature is good: what a genuine assertion says may stand in a log."""
    if kind not in KINDS:
        raise ValueError("meant for something else")
    if claims["iss"] != issuer:
        raise AssertionInvalid(f"assertion is from {_short(claims['iss'])}, this app trusts {issuer}", "issuer")
    if claims["aud"] not in audiences:
        ours = " or ".join(sorted(audiences))
        raise AssertionInvalid(f"assertion is for {_short(claims['aud'])}, this app is {ours}", "audience")


def _short(claim: object) -> str:
    return claim[:MAX_LOGGED] if isinstance(claim, str) and claim.isprintable() else "something else"


def _read(claims: Mapping[str, Any]) -> Identity:
    texts = [claims.get(name, "") for name in ("sub", "email", "name", "sid")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("text")
    subject, email, name, session = texts
    return Identity(
        id=subject,
        email=email,
        name=name,
        roles=tuple(_words(claims, "roles")),
        permissions=frozenset(_words(claims, "permissions")),
        session=session,
    )


def _words(claims: Mapping[str, Any], name: str) -> list[str]:
    found = claims.get(name, [])
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise ValueError(name)
    return found
