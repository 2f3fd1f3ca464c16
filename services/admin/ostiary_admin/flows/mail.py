"""Sending a mail again: a new row of the same kind; its secret is minted anew when it leaves."""

from uuid import UUID

from ostiary_admin.flows import authority
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import Conflict, NotFound
from ostiary_shared.events import Event
from ostiary_shared.models import Message
from ostiary_shared.store import audit, messages


async def resend(work: AdminWork, message_id: UUID) -> UUID:
    """Queue a mail again; the new row's id. Raises Conflict while the first is waiting or its person is gone."""
    row = await work.session.get(Message, message_id)
    if row is None:
        raise NotFound("There is no such mail.")
    if not (row.sent_at or row.failed_at or row.dropped_at):
        raise Conflict("This mail is still waiting to be sent. It leaves as soon as the mail server takes it.")
    if row.user_id is None:
        raise Conflict("This mail belongs to nobody, so there is nothing to send again.")
    person = await authority.person(work, row.user_id)
    if person.locked_at:
        raise Conflict("The account is locked, so its mails stay here.")
    draft = messages.Draft(messages.Kind(row.kind), row.email, row.user_id, dict(row.subject))
    fresh = await messages.queue(work.session, draft, work.now)
    await audit.record(work, Event.MESSAGE_RESENT, audit.Target(person.id, row.email), changes=({}, {"kind": row.kind}))
    return fresh
