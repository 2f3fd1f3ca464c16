"""What the first page of the console shows: a few counts, none of which walks a large table to its end."""

from dataclasses import dataclass

from sqlalchemy import select

from ostiary_admin.queries.keyset import count_up_to
from ostiary_admin.queries.mail import being
from ostiary_admin.tools import AdminWork
from ostiary_shared.models import Message, Session, User
from ostiary_shared.store.sessions import alive


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are, up to 10,001."""

    people: int
    unconfirmed: int
    locked: int
    sessions: int
    mails_waiting: int
    mails_failed: int


async def counts(work: AdminWork) -> Counts:
    """The state of the house at a glance."""
    session = work.session
    people = select(User.id).where(User.deleted_at.is_(None))
    return Counts(
        await count_up_to(session, people),
        await count_up_to(session, people.where(User.confirmed_at.is_(None))),
        await count_up_to(session, people.where(User.locked_at.is_not(None))),
        await count_up_to(session, select(Session.id).where(*alive(work.now))),
        await count_up_to(session, select(Message.id).where(*being("waiting"))),
        await count_up_to(session, select(Message.id).where(*being("failed"))),
    )
