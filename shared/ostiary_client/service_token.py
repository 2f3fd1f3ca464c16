"""Is this the token of a service of yours? Checks what `/oauth/token` gives for credentials (RFC 9068): five minutes.

Needs joserfc and nothing of ours; fetches nothing. Whether it was revoked is known to `/oauth/introspect` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError
from joserfc.jwk import KeySet

from ostiary_client.assertion import LEEWAY_SECONDS, MAX_TOKEN, ODD, AssertionInvalid, import_listed

KIND = "at+jwt"


@dataclass(frozen=True, slots=True)
class Service:
    """A service that proved who it is. The scopes are words of yours; in Ostiary they open nothing."""

    client_id: str
    scopes: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """Whether the token carries this scope."""
        return scope in self.scopes


def verify_service_token(token: str, *, issuer: str, jwks: Mapping[str, Any]) -> Service:
    """The service that a genuine token speaks for; raises AssertionInvalid for every other one."""
    return check_service(token, import_listed(jwks), issuer)


def check_service(token: str, keys: KeySet, issuer: str) -> Service:
    """The same with keys that were imported before."""
    if len(token) > MAX_TOKEN:
        raise AssertionInvalid("the service token is too long")
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": issuer},
        client_id={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        found = jwt.decode(token, keys, algorithms=["ES256"])
        rules.validate(found.claims)
        return _read(found)
    except ExpiredTokenError as error:
        raise AssertionInvalid("the service token is over, or the clocks differ", "time") from error
    except ODD as error:
        raise AssertionInvalid(f"the service token is not genuine: {type(error).__name__}") from error


def _read(found: jwt.Token) -> Service:
    client_id, scope = found.claims["client_id"], found.claims.get("scope", "")
    if found.header.get("typ") != KIND or not isinstance(client_id, str):
        raise ValueError("meant for something else")
    return Service(client_id, frozenset(scope.split()))
