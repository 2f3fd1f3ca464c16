"""Ending other people's sessions, one or all."""

from uuid import UUID

from ostiary_admin.flows import authority
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.events import Event
from ostiary_shared.models import Session
from ostiary_shared.store import audit, sessions

WHY = "ended by an administrator"


async def end(work: AdminWork, session_id: UUID) -> bool:
    """End a session, from the next request on; False when it is over already. Raises NotFound for an unknown one."""
    row = await work.session.get(Session, session_id)
    if row is None:
        raise NotFound("There is no such session.")
    person = await authority.person(work, row.user_id)
    if not await sessions.end(work.session, session_id, person.id, work.now, WHY):
        return False
    await audit.record(
        work, Event.SESSION_ENDED, audit.Target(person.id, person.email), changes=({"session": str(session_id)}, {})
    )
    return True


async def end_all(work: AdminWork, user_id: UUID) -> int:
    """End all sessions of a person; how many there were."""
    person = await authority.person(work, user_id)
    ended = await sessions.end_all(work.session, person.id, work.now, WHY)
    await audit.record(
        work,
        Event.SESSIONS_ENDED,
        audit.Target(person.id, person.email),
        changes=({"sessions": ended}, {"sessions": 0}),
    )
    return ended
