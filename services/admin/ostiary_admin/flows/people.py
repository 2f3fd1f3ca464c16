"""People: creating with an invitation, editing, confirming by hand, and the mails that bring them in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ostiary_admin.flows import authority, grants
from ostiary_admin.tools import AdminWork
from ostiary_shared import email_address
from ostiary_shared.errors import Conflict, FieldError, Invalid
from ostiary_shared.events import Event
from ostiary_shared.identity import Account
from ostiary_shared.permissions import END_USER, Permission
from ostiary_shared.store import api_tokens, audit, messages, one_time_tokens, sessions, users

# Here nobody asks for the present password, and no link proves the new address.
OWN = "Your own address and password are changed on your account page, not here."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person to be created."""

    email: str
    name: str = ""
    roles: tuple[str, ...] = ()
    reason: str = ""
    invite: bool = True


async def create(work: AdminWork, wanted: Wanted) -> UUID:
    """A new person with `end-user` and the wanted roles, and the invitation on its way. Raises Invalid when taken."""
    email = email_address.parse(wanted.email)
    user = await users.add(work.session, email, wanted.name)
    if user is None:
        raise Invalid(FieldError("email", "There is an account with this address already."))
    await audit.record(
        work,
        Event.USER_CREATED,
        audit.Target(user.id, user.email),
        reason=wanted.reason,
        changes=({}, {"email": user.email, "name": user.name, "roles": sorted({END_USER, *wanted.roles})}),
    )
    await grants.give_first(work, user.id)
    for role in sorted(set(wanted.roles) - {END_USER}):
        await grants.give(work, grants.Gift(user.id, role, wanted.reason or "Given when the account was created."))
    if wanted.invite:
        await _mail(work, messages.Kind.INVITE, Event.INVITATION_SENT, await authority.person(work, user.id))
    return user.id


async def check_edit(work: AdminWork, user_id: UUID, email: str | None) -> None:
    """Raise what `edit` would raise, and change nothing: asked before a new password goes to auth."""
    if user_id == work.caller.user_id:
        raise Conflict(OWN)
    person = await authority.person(work, user_id)
    fresh = await _readdressed(work, person, email)
    holder = await users.find(work.session, fresh) if fresh else None
    if holder is not None and holder.id != person.id:
        raise Invalid(FieldError("email", "Another account has this address."))


async def edit(work: AdminWork, user_id: UUID, *, email: str | None = None, name: str | None = None) -> bool:
    """Change name and address; None keeps. A new address ends sessions and pending links. Whether anything changed.

    Who readdresses an account can recover it, so that takes the permission to set a password, too.
    """
    person = await authority.person(work, user_id)
    wanted: dict[str, Any] = {}
    if name is not None and name != person.name:
        wanted["name"] = name
    if fresh := await _readdressed(work, person, email):
        wanted["email"] = fresh
    if not wanted:
        return False
    try:
        await users.change(work.session, person.id, **wanted)
    except Conflict:
        raise Invalid(FieldError("email", "Another account has this address.")) from None
    if "email" in wanted:
        await shut_out(work, person.id, "the e-mail address was changed by an administrator")
        draft = messages.Draft(messages.Kind.EMAIL_CHANGED, person.email, person.id)
        await messages.queue(work.session, draft, work.now)
    before = {field: getattr(person, field) for field in wanted}
    await audit.record(work, Event.USER_UPDATED, audit.Target(person.id, person.email), changes=(before, wanted))
    return True


async def confirm(work: AdminWork, user_id: UUID) -> bool:
    """Confirm an address by hand; False when it is confirmed. A password from an unfinished sign-up stays asleep."""
    person = await authority.person(work, user_id)
    if person.confirmed_at:
        return False
    await users.change(work.session, person.id, confirmed_at=work.now)
    await one_time_tokens.void(work.session, work.now, person.id, one_time_tokens.Purpose.CONFIRM)
    changes: tuple[dict[str, Any], dict[str, Any]] = ({"confirmed_at": None}, {"confirmed_at": _words(work.now)})
    await audit.record(work, Event.USER_CONFIRMED, audit.Target(person.id, person.email), changes=changes)
    return True


async def send_recovery(work: AdminWork, user_id: UUID) -> None:
    """Mail a link with which the person sets a new password. Raises Conflict for accounts that could not use it."""
    person = await _mailable(work, user_id)
    await _mail(work, messages.Kind.RECOVER, Event.RECOVERY_SENT, person)


async def send_invitation(work: AdminWork, user_id: UUID) -> None:
    """Invite again somebody who has not confirmed yet. Raises Conflict for others."""
    person = await _mailable(work, user_id)
    if person.confirmed_at:
        raise Conflict("This person has confirmed the address already. Send a recovery mail instead.")
    await _mail(work, messages.Kind.INVITE, Event.INVITATION_SENT, person)


async def shut_out(work: AdminWork, user_id: UUID, why: str) -> int:
    """End everything a person could still come in with: sessions, API tokens, links, codes, and mails that bring some.

    What else waits to be mailed leaves: a notice of the last step must not be called back by the next one.
    """
    await one_time_tokens.void(work.session, work.now, user_id)
    await messages.drop(work.session, user_id, work.now, why)
    await api_tokens.revoke_all(work.session, user_id, work.now, why)
    return await sessions.end_all(work.session, user_id, work.now, why)


async def _readdressed(work: AdminWork, person: Account, email: str | None) -> str:
    """The new address, empty when it stays. Raises Conflict for one's own, AboveYou without the permission."""
    fresh = email_address.parse(email) if email is not None else person.email
    if fresh == person.email:
        return ""
    if person.id == work.caller.user_id:
        raise Conflict(OWN)
    await authority.need(work, Permission.USERS_SET_PASSWORD, "changing an e-mail address")
    return fresh


async def _mailable(work: AdminWork, user_id: UUID) -> Account:
    person = await authority.person(work, user_id)
    if person.locked_at:
        raise Conflict("This account is locked. Unlock it first, then send the mail.")
    return person


async def _mail(work: AdminWork, kind: messages.Kind, event: Event, person: Account) -> None:
    await messages.queue(work.session, messages.Draft(kind, person.email, person.id), work.now)
    await audit.record(work, event, audit.Target(person.id, person.email))


def _words(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
