"""Sending a mail again: a new row of the same kind; its secret is minted anew when it leaves.

Whoever may not send a mail of this kind anew may not send it again: it carries a fresh link all the same.
"""

from uuid import UUID

from sqlalchemy import exists, select

from ostiary_admin.flows import authority
from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import Conflict, NotFound
from ostiary_shared.events import Event
from ostiary_shared.identity import Account
from ostiary_shared.models import Message
from ostiary_shared.permissions import Permission
from ostiary_shared.store import audit, messages
from ostiary_shared.store.messages import Kind

TAKES = {
    Kind.RECOVER: Permission.USERS_RECOVER,
    Kind.INVITE: Permission.USERS_CREATE,
    Kind.CONFIRM: Permission.USERS_UPDATE,
}
ASKED_FOR = "Only the person can ask for a new address: they do so on their account page."


def may_resend(kind: str, permissions: frozenset[str]) -> bool:
    """Whether somebody with these permissions may send a mail of this kind again."""
    takes = TAKES.get(Kind(kind), Permission.MESSAGES_RESEND)
    return kind != Kind.CHANGE_EMAIL and {Permission.MESSAGES_RESEND, takes} <= permissions


async def resend(work: AdminWork, message_id: UUID) -> UUID:
    """Queue a mail again; the new row's id. Raises Conflict, in words, where that would bring nothing or harm."""
    row = await work.session.get(Message, message_id)
    if row is None:
        raise NotFound("There is no such mail.")
    if row.user_id is None:
        raise Conflict("This mail belongs to nobody, so there is nothing to send again.")
    kind = Kind(row.kind)
    if kind is Kind.CHANGE_EMAIL:
        raise Conflict(ASKED_FOR)
    if kind in TAKES:
        await authority.need(work, TAKES[kind], "sending a mail of this kind")
    person = await authority.person(work, row.user_id)
    await work.session.refresh(row)  # the courier may have settled it while we waited for the person
    if reason := _too_early(row) or _too_late(row, person) or await _newer(work, row):
        raise Conflict(reason)
    fresh = await messages.queue(
        work.session, messages.Draft(kind, row.email, row.user_id, dict(row.subject)), work.now
    )
    await audit.record(work, Event.MESSAGE_RESENT, audit.Target(person.id, row.email), changes=({}, {"kind": row.kind}))
    return fresh


def _too_early(row: Message) -> str:
    if row.dropped_at:
        return f"This mail was given up on purpose: {row.last_reply or 'it had become pointless.'}"
    waiting = not (row.sent_at or row.failed_at)
    return "This mail is still waiting to be sent. It leaves as soon as the mail server takes it." if waiting else ""


def _too_late(row: Message, person: Account) -> str:
    if person.locked_at:
        return "The account is locked, so its mails stay here."
    if row.email.casefold() != person.email.casefold() and row.kind not in messages.NOTICES:
        return "The account has another address by now. Send a new mail from the page of the person."
    if person.confirmed_at and row.kind in {Kind.CONFIRM, Kind.INVITE}:
        return "This person has confirmed the address already. Send a recovery mail instead."
    return ""


async def _newer(work: AdminWork, row: Message) -> str:
    """What follows an earlier mail makes its link worthless; each sign-up has a link of its own."""
    follows = exists().where(
        Message.user_id == row.user_id,
        Message.kind == row.kind,
        Message.subject == row.subject,
        Message.dropped_at.is_(None),
        Message.id > row.id,
    )
    if row.kind in messages.SECRETS and await work.session.scalar(select(follows)):
        return "A newer mail of this kind has followed, and its link is the one that counts."
    return ""
