"""Signing out: the session is over everywhere at once."""

from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.identity import Presented
from ostiary_shared.store import audit, sessions
from ostiary_shared.tokens import digest


async def sign_out(work: AuthWork, token: str | None) -> None:
    """End the session that this token carries. Without one there is nothing to do, and that is fine."""
    owner = await sessions.end_by_token(work.session, digest(token), work.now, "signed out") if token else None
    if owner:
        await audit.record(work, Event.LOGOUT, audit.Target(owner, work.caller.email))


async def end(work: AuthWork, presented: Presented) -> None:
    """The same by what was found for a token: one of a single site stands for the whole session."""
    session, account = presented.session, presented.account
    if session and account and await sessions.end(work.session, session.id, account.id, work.now, "signed out"):
        await audit.record(work, Event.LOGOUT, audit.Target(account.id, account.email))
