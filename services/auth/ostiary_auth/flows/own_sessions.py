"""Where one is signed in, and ending that. Shown by public id: no token ever leaves by this door."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ostiary_auth.flows.device import name_of
from ostiary_auth.tools import AuthWork
from ostiary_shared.errors import NotFound
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.store import audit, sessions


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One place where somebody is signed in."""

    id: UUID
    device: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


async def mine(work: AuthWork, who: Identity) -> list[OwnSession]:
    """The living sessions, this one first, then the last used."""
    rows = await sessions.living(work.session, who.id, work.now)
    found = [
        OwnSession(
            row.id,
            name_of(row.user_agent),
            str(row.ip or ""),
            row.created_at,
            row.last_seen_at,
            sessions.facts(row).idle_until(),
            row.id == who.session.id,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: not one.current)


async def end(work: AuthWork, who: Identity, session_id: UUID) -> None:
    """End one; raises NotFound when it is not theirs, or over."""
    if not await sessions.end(work.session, session_id, who.id, work.now, "ended by the person"):
        raise NotFound("This session is over already.")
    await audit.record(work, Event.LOGOUT, audit.Target(who.id, who.email))


async def end_others(work: AuthWork, who: Identity) -> int:
    """End all but the one in use; how many that were."""
    ended = await sessions.end_all(work.session, who.id, work.now, "ended by the person", keep=who.session.id)
    if ended:
        await audit.record(work, Event.OTHER_SESSIONS_ENDED, audit.Target(who.id, who.email), reason=f"{ended} ended")
    return ended
