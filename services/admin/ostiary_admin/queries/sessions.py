"""Living sessions: whose, from which device and address, last used when. Digests are out of this service's reach."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from ostiary_admin.queries.keyset import Asked, Found, Order, Page, Place, page_of
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import Session, User
from ostiary_shared.store.sessions import alive


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that is alive."""

    id: UUID
    user_id: UUID
    email: str
    name: str
    user_agent: str
    ip: str | None
    assurance: int
    methods: list[str]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


_SESSIONS: Asked = select(
    Session.id,
    Session.user_id,
    User.email,
    User.name,
    Session.user_agent,
    Session.ip,
    Session.assurance,
    Session.methods,
    Session.created_at,
    Session.last_seen_at,
    Session.expires_at,
).join(User, User.id == Session.user_id)


async def page(work: AdminWork, user_id: UUID | None, place: Place) -> Page[SessionRow]:
    """Living sessions, the newest first; of one person if asked."""
    asked = _SESSIONS.where(*alive(work.now))
    if user_id:
        asked = asked.where(Session.user_id == user_id)
    order = Order(Session.created_at, Session.id, descending=True, moments=True)
    return await page_of(work.session, asked, order, place, _row)


async def get(work: AdminWork, session_id: UUID) -> SessionRow:
    """One living session. Raises NotFound."""
    row = (await work.session.execute(_SESSIONS.where(Session.id == session_id, *alive(work.now)))).first()
    if row is None:
        raise NotFound("There is no such session, or it is over already.")
    return _row(row)


def _row(row: Found) -> SessionRow:
    values = list(row[:11])
    values[5] = str(values[5]) if values[5] else None
    return SessionRow(*values)
