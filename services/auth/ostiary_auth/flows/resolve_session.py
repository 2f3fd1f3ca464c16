"""Who is this? From a session token to the session and account it stands for."""

from dataclasses import dataclass

from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Asks, Requirement, decide
from ostiary_shared.identity import Presented
from ostiary_shared.store import sessions, users
from ostiary_shared.tokens import SESSION, digest, genuine


@dataclass(frozen=True, slots=True)
class Accepts:
    """Which other tokens than the session's own a door takes: those of the site at `host`, those of programs."""

    host: str = ""
    machines: bool = False


async def resolve(work: AuthWork, token: str | None, accepts: Accepts = Accepts()) -> Presented:  # noqa: ARG001
    """What the token stands for; a token that we did not make never reaches the database. Using it keeps it alive."""
    if token is None or not genuine(token, SESSION, work.tools.session_key):
        return Presented(carried=token is not None)
    presented = await sessions.present(work.session, digest(token), work.now)
    session, account = presented.session, presented.account
    if session is None or account is None or work.now - session.last_seen_at < sessions.TOUCH_EVERY:
        return presented
    alive = decide(presented, Requirement(Asks.SIGNED_IN), work.now).allowed
    if alive and await sessions.touch(work.session, session.id, work.now):
        await users.seen(work.session, account.id, work.now)
    return presented
