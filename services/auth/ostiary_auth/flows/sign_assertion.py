"""A signed sentence for one backend: who this is, said by us, now. Any service can check it without asking us."""

from datetime import timedelta

from joserfc import jwt

from ostiary_auth.flows import signing_keys
from ostiary_auth.tools import AuthWork
from ostiary_shared.identity import Identity

LIFETIME = timedelta(seconds=60)


async def sign(work: AuthWork, identity: Identity, audience: str) -> str:
    """An ES256 JWT (RFC 7519) about `identity`, worth something at the host `audience` alone, for a minute."""
    key = await signing_keys.current(work)
    issued = int(work.now.timestamp())
    claims = {
        "iss": work.tools.settings.public_url,
        "aud": audience,
        "sub": str(identity.id),
        "email": identity.email,
        "name": identity.name,
        "roles": list(identity.roles),
        "sid": str(identity.session.id),
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=["ES256"])
