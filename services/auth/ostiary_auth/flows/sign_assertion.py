"""A signed sentence for one backend: who this is, said by us, now. Any service can check it without asking us."""

from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from ostiary_auth.flows import signing_keys
from ostiary_auth.tools import AuthWork
from ostiary_shared.identity import Identity

LIFETIME = timedelta(seconds=60)


async def sign(work: AuthWork, identity: Identity, audience: str) -> str:
    """An ES256 JWT (RFC 7519) about `identity`, worth something at the host `audience` alone, for a minute."""
    key = await signing_keys.current(work)
    return signed(key, claims(identity, work.tools.settings.public_url, audience, work.now))


def claims(identity: Identity, issuer: str, audience: str, now: datetime) -> dict[str, Any]:
    """What is said of somebody, by whom, to whom and for how long."""
    issued = int(now.timestamp())
    return {
        "iss": issuer,
        "aud": audience,
        "sub": str(identity.id),
        "email": identity.email,
        "name": identity.name,
        "roles": list(identity.roles),
        "sid": str(identity.session.id),
        # Most people hold none, and a header should stay small.
        **({"permissions": sorted(identity.permissions)} if identity.permissions else {}),
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
    }


def signed(key: ECKey, said: dict[str, Any]) -> str:
    """The same, signed."""
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, said, key, algorithms=["ES256"])
