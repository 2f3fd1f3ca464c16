"""Whose token is this, and what may they do? RFC 7662, for services that were handed one.

A service learns what the person may do, never more; of everything unknown, over or not ours it learns that it is dead.
"""

from typing import Any

from ostiary_auth.flows import resolve_session, service_tokens
from ostiary_auth.flows.resolve_session import Accepts
from ostiary_auth.flows.service_tokens import ServiceToken
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import signed_in
from ostiary_shared.identity import Identity, scopes_of

DEAD: dict[str, Any] = {"active": False}
_PROGRAMS = Accepts(machines=True)


async def introspect(work: AuthWork, token: str) -> dict[str, Any]:
    """The answer of RFC 7662, 2.2, with `roles` and `permissions` beside it."""
    service = await service_tokens.read(work, token)
    if service is not None:
        return _of_service(work, service)
    who = signed_in(await resolve_session.resolve(work, token, _PROGRAMS), work.now)
    return _of_person(work, who) if who else DEAD


def _of_person(work: AuthWork, who: Identity) -> dict[str, Any]:
    session = who.session
    return {
        **_common(work),
        "sub": str(who.id),
        "username": who.email,
        "scope": " ".join(sorted(scopes_of(who.roles, who.permissions))),
        "jti": str(session.id),
        "iat": int(session.created_at.timestamp()),
        "exp": int(session.idle_until().timestamp()),
        "roles": list(who.roles),
        "permissions": sorted(who.permissions),
    }


def _of_service(work: AuthWork, token: ServiceToken) -> dict[str, Any]:
    return {
        **_common(work),
        "sub": token.client_id,
        "client_id": token.client_id,
        "scope": token.scope,
        "jti": token.jti,
        "iat": token.issued_at,
        "exp": token.expires_at,
        "roles": [],
        "permissions": [],
    }


def _common(work: AuthWork) -> dict[str, Any]:
    us = work.tools.settings.public_url
    return {"active": True, "token_type": "Bearer", "iss": us, "aud": us}
