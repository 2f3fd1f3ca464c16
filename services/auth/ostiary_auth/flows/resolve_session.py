"""Who is this? From a session token to the session and account it stands for."""

from dataclasses import dataclass

from ostiary_auth.tools import AuthWork
from ostiary_shared.access import SIGNED_IN, decide
from ostiary_shared.identity import Presented
from ostiary_shared.store import api_tokens, sessions, site_sessions, users
from ostiary_shared.tokens import PERSONAL, SESSION, SITE, digest, genuine


@dataclass(frozen=True, slots=True)
class Accepts:
    """Which other tokens than the session's own a door takes: those of the site at `host`, those of programs."""

    host: str = ""
    machines: bool = False


async def resolve(work: AuthWork, token: str | None, accepts: Accepts = Accepts()) -> Presented:
    """What the token stands for; a token that we did not make never reaches the database. Using it keeps it alive."""
    if token is not None and accepts.machines and genuine(token, PERSONAL, work.tools.personal_key):
        return await _program(work, token)
    presented = await _found(work, token, accepts.host)
    session, account = presented.session, presented.account
    if session is None or account is None or work.now - session.last_seen_at < sessions.TOUCH_EVERY:
        return presented
    alive = decide(presented, SIGNED_IN, work.now).allowed
    if alive and await sessions.touch(work.session, session.id, work.now):
        await users.seen(work.session, account.id, work.now)
    return presented


async def _found(work: AuthWork, token: str | None, host: str) -> Presented:
    """The session behind its own token, or behind that of the one site which is asking: at any other it is unknown."""
    if token is None:
        return Presented()
    if genuine(token, SESSION, work.tools.session_key):
        return await sessions.present(work.session, digest(token), work.now)
    if host and genuine(token, SITE, work.tools.site_key):
        return await site_sessions.present(work.session, digest(token), host, work.now)
    return Presented(carried=True, misplaced=genuine(token, PERSONAL, work.tools.personal_key))


async def _program(work: AuthWork, token: str) -> Presented:
    presented = await api_tokens.present(work.session, digest(token), work.now)
    if presented.session and decide(presented, SIGNED_IN, work.now).allowed:
        await api_tokens.touch(work.session, presented.session.id, work.now)
    return presented
