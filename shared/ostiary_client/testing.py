"""For tests of an app behind Ostiary: a pytest fixture that makes people up, and lets the app believe in them.

Installed with the distribution, pytest finds it by itself. The key is made anew for each run and leaves it never.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from ostiary_client.identity import Identity
from ostiary_client.keys import Keyring
from ostiary_client.trust import Trust

LIFETIME_SECONDS = 60
SOMEBODY = Identity("0199f3a1-0000-7000-8000-000000000001", "somebody@example.test", "Somebody", session="test")

SignIdentity = Callable[..., dict[str, str]]


def sign_identity(trust: Trust, who: Identity = SOMEBODY, **claims: object) -> dict[str, str]:
    """The header that the gate would add for `who` at the (first) host of `trust`; `claims` replace what it says."""
    now = int(time.time())  # noqa: TID251 - nothing of ours comes with this, not even the clock
    said: dict[str, Any] = {
        "iss": trust.issuer,
        "aud": trust.audiences[0],
        "sub": who.id,
        "email": who.email,
        "name": who.name,
        "roles": list(who.roles),
        "permissions": sorted(who.permissions),
        "sid": who.session,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        **claims,
    }
    key = _key()
    token = jwt.encode({"alg": "ES256", "kid": str(key.kid), "typ": "JWT"}, said, key, algorithms=["ES256"])
    return {"X-Ostiary-Assertion": token}


@pytest.fixture
def ostiary_identity(monkeypatch: pytest.MonkeyPatch) -> SignIdentity:
    """`ostiary_identity(TRUST, roles=["editor"])` is the header of somebody whom every app of this process believes.

    Give what matters among id, email, name, roles, permissions and session. Nothing is fetched.
    """
    keys = KeySet([ECKey.import_key(_key().as_dict(private=False))])
    monkeypatch.setattr(Keyring, "ready", lambda _self, _kid: keys)

    def make(trust: Trust, **facts: Any) -> dict[str, str]:
        known: dict[str, Any] = {"id": SOMEBODY.id, "email": SOMEBODY.email, "name": SOMEBODY.name, "session": "test"}
        given = {**known, **facts}
        given["roles"] = tuple(_listed("roles", given))
        given["permissions"] = frozenset(_listed("permissions", given))
        return sign_identity(trust, Identity(**given))

    return make


def _listed(name: str, facts: dict[str, Any]) -> Any:
    """A text is a collection of letters, too; nobody means that."""
    found = facts.get(name, ())
    if isinstance(found, str):
        raise TypeError(f'{name} is a list: {name}=["{found}"]')
    return found


@cache
def _key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
