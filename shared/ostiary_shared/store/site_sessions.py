"""A session as one site carries it: found by a token of its own, at that site's host and nowhere else."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import revocation
from ostiary_shared.identity import Presented
from ostiary_shared.models import Session, SiteSession, User
from ostiary_shared.store import users
from ostiary_shared.store.sessions import alive, facts

# A browser keeps one token a site. Some more, for tabs that came in at the same moment and whose answers crossed.
KEPT = 5


async def begin(session: AsyncSession, session_id: UUID, host: str, digest: bytes, now: datetime) -> bool:
    """Let a living session be carried at `host` by this token; False when it is over.

    Who ends the session meanwhile waits for us, or we for them: they tell the replicas of every token that there is.
    Hold the person (`users.hold_alone`) before, for the same reason.
    """
    living = (
        select(Session.id, literal(host), literal(digest), literal(now))
        .where(Session.id == session_id, *alive(now))
        .with_for_update(key_share=True, of=Session)
    )
    columns = ("session_id", "host", "token_digest", "created_at")
    row = await session.execute(insert(SiteSession).from_select(columns, living).returning(SiteSession.id))
    if row.first() is None:
        return False
    await _keep_newest(session, session_id, host)
    return True


async def present(session: AsyncSession, digest: bytes, host: str, now: datetime) -> Presented:
    """What a token stands for at `host`; made for another host, it stands for nothing."""
    found = (
        await session.execute(
            select(Session, User)
            .join(SiteSession, SiteSession.session_id == Session.id)
            .join(User, User.id == Session.user_id)
            .where(SiteSession.token_digest == digest, SiteSession.host == host)
            .execution_options(populate_existing=True)
        )
    ).first()
    if found is None:
        return Presented(carried=True)
    row, user = found
    held = await users.held_roles(session, user.id, now)
    return Presented(carried=True, session=facts(row), account=users.account_of(user, held))


async def end_of(session: AsyncSession, session_id: UUID) -> int:
    """Make a session's tokens of all sites worthless; how many there were."""
    return await _forget(session, session_id)


async def _keep_newest(session: AsyncSession, session_id: UUID, host: str) -> None:
    here = (SiteSession.session_id == session_id, SiteSession.host == host)
    newest = select(SiteSession.id).where(*here).order_by(SiteSession.id.desc()).limit(KEPT)
    await _forget(session, session_id, SiteSession.host == host, SiteSession.id.not_in(newest))


async def _forget(session: AsyncSession, session_id: UUID, *which: ColumnElement[bool]) -> int:
    gone = delete(SiteSession).where(SiteSession.session_id == session_id, *which).returning(SiteSession.id)
    count = len((await session.execute(gone.execution_options(synchronize_session=False))).all())
    if count:
        revocation.mark(session)
    return count
