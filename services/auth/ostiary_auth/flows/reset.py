"""A new password for whoever proves the mailbox: by a recovery mail, or by an invitation.

The same proof confirms that mailbox, and nothing else. It never signs anybody in (ASVS 6.3.6, 6.4.3).
"""

from dataclasses import dataclass, replace

from ostiary_auth.flows import known_device, new_password, one_time, throttle
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.events import Event
from ostiary_shared.models import User
from ostiary_shared.revocation import Receipt
from ostiary_shared.store import api_tokens, audit, messages, passwords, sessions, users
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.store.one_time_tokens import Consumed, Purpose

RECOVER, INVITE = Purpose.RECOVER, Purpose.INVITE


@dataclass(frozen=True, slots=True)
class Reset:
    """What shall become of the account: `purpose` is RECOVER or INVITE."""

    purpose: Purpose
    proof: Proof
    password: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """The account has the new password. `device` is the mark to leave on this device: it has proved the mailbox."""

    email: str
    device: str
    receipt: Receipt | None = None


async def look(work: AuthWork, purpose: Purpose, proof: Proof) -> User | None:
    """Whose password a proof may set, without using it up. Raises TooMany for guessed codes."""
    found = await one_time.peek(work, purpose, proof)
    user = await users.get(work.session, found.user_id) if found and found.user_id else None
    return user if user and found and _meant_for(found, user) else None


async def reset(desk: Desk, wanted: Reset) -> Renewed | Dead:
    """Set the password. Raises Invalid for one that will not do, and then the proof is still good."""
    async with desk.begin() as work:
        user = await look(work, wanted.purpose, wanted.proof)
    if user is None:
        return Dead()
    await new_password.weigh(desk.tools, wanted.password, email=user.email, name=user.name)
    hashed = await desk.tools.passwords.hash(wanted.password)
    async with desk.begin() as work:
        outcome = await settle(work, replace(wanted, password=hashed))
    return replace(outcome, receipt=work.receipt) if isinstance(outcome, Renewed) else outcome


async def settle(work: AuthWork, wanted: Reset) -> Renewed | Dead:
    """Use the proof up; `wanted.password` is the hash. Sessions, API tokens and other links end with it."""
    used = await one_time.use_up(work, wanted.purpose, wanted.proof)
    if used is None or not _meant_for(*used):
        return Dead()
    _, user = used
    await passwords.put(work.session, user.id, wanted.password, work.now)
    await sessions.end_all(work.session, user.id, work.now, "password replaced")
    await api_tokens.revoke_all(work.session, user.id, work.now, "password replaced")
    await one_time.end_all(work, user.id, "The password was replaced meanwhile.")
    await throttle.forgive(work, user.email)
    if user.confirmed_at is None:
        await users.change(work.session, user.id, confirmed_at=work.now)
        await audit.record(work, Event.EMAIL_CONFIRMED, audit.Target(user.id, user.email), reason=wanted.purpose.value)
    notice = Kind.WELCOME if wanted.purpose is Purpose.INVITE else Kind.PASSWORD_CHANGED
    await messages.queue(work.session, Draft(notice, user.email, user.id), work.now)
    await audit.record(work, Event.PASSWORD_RECOVERED, audit.Target(user.id, user.email), reason=wanted.purpose.value)
    return Renewed(user.email, known_device.mark(work.tools, user.id))


def _meant_for(found: Consumed, user: User) -> bool:
    """Whether the proof is for this person's present address, and they may use it."""
    usable = user.deleted_at is None and user.locked_at is None
    return usable and found.email.casefold() == user.email.casefold()
