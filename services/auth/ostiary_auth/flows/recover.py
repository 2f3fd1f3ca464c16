"""Asking for a way back in. The same answer and work for every address; the mail goes to the stored one."""

from ostiary_auth.flows import throttle
from ostiary_auth.tools import AuthWork
from ostiary_shared import email_address
from ostiary_shared.events import Event
from ostiary_shared.store import audit, messages, users
from ostiary_shared.store.messages import Draft, Kind


async def recover(work: AuthWork, typed: str) -> None:
    """Queue a recovery mail; without a person the courier drops it. Raises Invalid for what is no address."""
    email = email_address.parse(typed)
    if not await throttle.may_mail(work, "recover", email):
        return
    user = await users.find(work.session, email)
    draft = Draft(Kind.RECOVER, user.email, user.id) if user else Draft(Kind.RECOVER, email)
    await messages.queue(work.session, draft, work.now)
    if user:
        await audit.record(work, Event.RECOVERY_ASKED, audit.Target(user.id, user.email))
    else:
        await throttle.count_stranger(work, "recover", email)
