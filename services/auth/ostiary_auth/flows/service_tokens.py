"""What a service gets for its credentials: a signed token of five minutes, in which it speaks for itself alone.

RFC 6749, 4.4 (client credentials) and RFC 9068 (access tokens as JWTs). It opens nothing of any person's.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ostiary_auth import limits
from ostiary_auth.flows import signing_keys, throttle
from ostiary_auth.flows.throttle import Count
from ostiary_auth.tools import AuthWork
from ostiary_shared import tokens
from ostiary_shared.models import ServiceClient
from ostiary_shared.store import revoked_tokens, service_clients

LIFETIME = timedelta(minutes=5)
TYPE = "at+jwt"
MAX_TOKEN = 8 * 1024
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,100}")
# What a wrong secret is compared with where there is no such service: the same work, the same answer.
_NOBODYS = tokens.digest("nobody's")


@dataclass(frozen=True, slots=True)
class Issued:
    """A token for a service, and what it allows."""

    token: str
    seconds: int
    scope: str


@dataclass(frozen=True, slots=True)
class BeyondScope:
    """The service asked for what it was not given."""


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """What a genuine, living service token says."""

    client_id: str
    scope: str
    jti: str
    issued_at: int
    expires_at: int


async def authenticate(work: AuthWork, client_id: str, secret: str) -> ServiceClient | None:
    """The service with these credentials; None for an unknown one, a wrong secret, and one that is switched off."""
    known = await service_clients.find(work.session, client_id) if _CLIENT_ID.fullmatch(client_id) else None
    right = tokens.same(tokens.digest(secret), known.secret_digest if known else _NOBODYS)
    if known is None or not right or known.disabled_at is not None:
        return None
    await service_clients.touch(work.session, known.id, work.now)
    return known


async def issue(work: AuthWork, client: ServiceClient, wanted: str) -> Issued | BeyondScope:
    """A token with the wanted scopes, or with all of the service's. Raises TooMany."""
    await throttle.take(work, (Count(f"client:{client.id}", limits.CLIENT_TOKENS),))
    scopes = list(dict.fromkeys(wanted.split())) or list(client.scopes)
    if set(scopes) - set(client.scopes):
        return BeyondScope()
    key, us = await signing_keys.current(work), work.tools.settings.public_url
    issued, scope = int(work.now.timestamp()), " ".join(scopes)
    claims = {
        "iss": us,
        "sub": client.client_id,
        "client_id": client.client_id,
        "aud": us,
        "scope": scope,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "jti": tokens.random_bytes(16).hex(),
    }
    header = {"alg": "ES256", "kid": key.kid, "typ": TYPE}
    return Issued(jwt.encode(header, claims, key, algorithms=["ES256"]), int(LIFETIME.total_seconds()), scope)


async def read(work: AuthWork, token: str) -> ServiceToken | None:
    """What a service token says; None unless we signed it as one, it lives, and its service does."""
    said = await _genuine(work, token)
    if said is None or said.expires_at <= work.now.timestamp():
        return None
    client = await service_clients.find(work.session, said.client_id)
    if client is None or client.disabled_at is not None or await revoked_tokens.contains(work.session, said.jti):
        return None
    return said


async def revoke(work: AuthWork, client: ServiceClient, token: str) -> bool:
    """Let a token of this very service not be believed any more; False when it is none."""
    said = await read(work, token)
    if said is None or said.client_id != client.client_id:
        return False
    return await revoked_tokens.add(work.session, said.jti, datetime.fromtimestamp(said.expires_at, UTC))


async def _genuine(work: AuthWork, token: str) -> ServiceToken | None:
    if len(token) > MAX_TOKEN or token.count(".") != 2:
        return None
    keys: Any = await signing_keys.public_set(work)
    us = work.tools.settings.public_url
    try:
        found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])
        said = found.claims
        # The type tells it from what we sign for sites (RFC 8725, 3.11); the rest says that it is ours and for us.
        if found.header.get("typ") != TYPE or (said["iss"], said["aud"]) != (us, us):
            return None
        return ServiceToken(said["client_id"], said["scope"], said["jti"], said["iat"], said["exp"])
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
