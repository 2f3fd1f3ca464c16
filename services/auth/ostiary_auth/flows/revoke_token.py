"""Handing a token back (RFC 7009): whoever holds it may end it. A service hands back its own alone."""

from ostiary_auth.flows import logout, service_tokens
from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.models import ServiceClient
from ostiary_shared.store import api_tokens, audit, users
from ostiary_shared.tokens import PERSONAL, SESSION, digest, genuine


async def revoke(work: AuthWork, token: str, client: ServiceClient | None) -> None:
    """End what the token stands for. One that is unknown, or not theirs to end, is passed over: nobody learns which."""
    if genuine(token, SESSION, work.tools.session_key):
        await logout.sign_out(work, token)
    elif genuine(token, PERSONAL, work.tools.personal_key):
        await _program(work, token)
    elif client is not None:
        await service_tokens.revoke(work, client, token)


async def _program(work: AuthWork, token: str) -> None:
    found = await api_tokens.revoke_by_digest(work.session, digest(token), work.now, "handed back")
    if found is None:
        return
    owner, name = found
    user = await users.get(work.session, owner)
    target = audit.Target(owner, user.email if user else "")
    await audit.record(work, Event.API_TOKEN_REVOKED, target, reason="handed back", changes=({"token": name}, {}))
