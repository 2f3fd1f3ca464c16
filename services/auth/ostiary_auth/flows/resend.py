"""Sending the confirmation once more. The same answer whoever asks for whatever address."""

from ostiary_auth.flows import throttle
from ostiary_auth.tools import AuthWork
from ostiary_shared import email_address
from ostiary_shared.models import User
from ostiary_shared.store import messages, passwords, users
from ostiary_shared.store.messages import Draft, Kind


async def resend(work: AuthWork, typed: str) -> None:
    """Queue another confirmation if the address waits for one; raises Invalid for what is no address."""
    email = email_address.parse(typed)
    if await throttle.may_mail(work, "signup", email):
        await messages.queue(work.session, await _draft(work, email), work.now)


async def _draft(work: AuthWork, email: str) -> Draft:
    user = await users.find(work.session, email)
    if user is None or not _waits(user):
        return Draft(Kind.CONFIRM, email)  # without a person the courier drops it
    newest = await passwords.waiting(work.session, user.id)
    return Draft(Kind.CONFIRM, user.email, user.id, {"password_id": str(newest.id)} if newest else {})


def _waits(user: User) -> bool:
    return user.confirmed_at is None and user.locked_at is None
