"""Confirming an address. Never signs anybody in, and never brings a password to life that somebody else typed.

A waiting password is adopted where it was typed. Elsewhere the mailbox is proved all the same, and whoever proves it
types a password: strangers may have signed up with this address, and their mails look like one's own.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from ostiary_auth.flows import known_device, new_password, one_time
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.origin import Origin, any_mark
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.events import Event
from ostiary_shared.models import Password, User
from ostiary_shared.store import audit, messages, one_time_tokens, passwords, sessions, users
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.store.one_time_tokens import Consumed, Purpose
from ostiary_shared.tokens import digest

CONFIRM = Purpose.CONFIRM
ASK = "You signed up on another device. Type the password you chose then, or a new one."


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What somebody brings: the proof of their mailbox, where they are, and what they typed if they were asked."""

    proof: Proof
    origin: Origin
    password: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A link that does something still: for which address, and whether it takes a password."""

    email: str
    asks_password: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Done. `device` is the mark to leave on this device: it has just proved the mailbox."""

    email: str
    device: str


@dataclass(frozen=True, slots=True)
class AlreadyConfirmed:
    """The link was used before, and did its work then."""


Outcome = Confirmed | AlreadyConfirmed | Dead


async def look(work: AuthWork, token: str, origin: Origin) -> Live | AlreadyConfirmed | Dead:
    """What a link is good for, without using it up: mail scanners open links, too."""
    found = await one_time.peek(work, CONFIRM, Proof(token))
    user = await users.get(work.session, found.user_id) if found and found.user_id else None
    if found is None or user is None or not _meant_for(found, user):
        return await _used_or_dead(work, token)
    own = await _typed_here(work, found, user, origin) or await passwords.adopted(work.session, user.id)
    return Live(user.email, asks_password=own is None)


async def confirm(desk: Desk, wanted: Confirmation) -> Outcome:
    """Use a link or code up. Raises TooMany for guessed codes, and Invalid where a (better) password is needed.

    After Invalid the proof is still good.
    """
    if not wanted.password:
        async with desk.begin() as work:
            return await settle(work, wanted)
    async with desk.begin() as work:
        found = await one_time.peek(work, CONFIRM, wanted.proof)
        if found is None:
            return await _used_or_dead(work, wanted.proof.token)
    await new_password.weigh(desk.tools, wanted.password, email=found.email, name=wanted.name)
    hashed = await desk.tools.passwords.hash(wanted.password)
    async with desk.begin() as work:
        return await settle(work, replace(wanted, password=hashed))


async def settle(work: AuthWork, wanted: Confirmation) -> Outcome:
    """Write it down; `wanted.password` is a hash, or empty."""
    used = await one_time.use_up(work, CONFIRM, wanted.proof)
    if used is None:
        return await _used_or_dead(work, wanted.proof.token)
    found, user = used
    if not _meant_for(found, user):
        return Dead()
    name = await _settle_password(work, found, user, wanted)
    await users.change(work.session, user.id, confirmed_at=work.now, name=name)
    await one_time.end_all(work, user.id, "The address was confirmed meanwhile.")
    await messages.queue(work.session, Draft(Kind.WELCOME, user.email, user.id), work.now)
    await audit.record(work, Event.EMAIL_CONFIRMED, audit.Target(user.id, user.email))
    return Confirmed(user.email, known_device.mark(work.tools, user.id))


async def _settle_password(work: AuthWork, found: Consumed, user: User, wanted: Confirmation) -> str:
    """Give the account its one password; the name it has from then on. A stranger's name goes with their password."""
    waiting = await _typed_here(work, found, user, wanted.origin)
    if wanted.password:
        await passwords.put(work.session, user.id, wanted.password, work.now)
    elif waiting:
        await passwords.adopt(work.session, user.id, waiting.id, work.now)
    elif await passwords.adopted(work.session, user.id):
        await passwords.forget_waiting(work.session, user.id)  # its own, from before the address was changed
        return user.name
    else:
        raise Invalid(FieldError("password", ASK))
    await sessions.end_all(work.session, user.id, work.now, "address confirmed with another password")
    if wanted.password:
        return wanted.name or user.name
    return user.name or (waiting.name if waiting else "")


async def _typed_here(work: AuthWork, found: Consumed, user: User, origin: Origin) -> Password | None:
    """The waiting password that came from where the proof is shown now; the mail's own sign-up before others."""
    first = found.subject.get("password_id")
    marked = any_mark(work.tools, origin)
    return await passwords.waiting_from(work.session, user.id, marked, UUID(first) if first else None)


def _meant_for(found: Consumed, user: User) -> bool:
    fresh = user.confirmed_at is None and user.deleted_at is None
    return fresh and user.email.casefold() == found.email.casefold()


async def _used_or_dead(work: AuthWork, token: str) -> AlreadyConfirmed | Dead:
    owner = await one_time_tokens.used_by(work.session, CONFIRM, digest(token)) if token else None
    user = await users.get(work.session, owner) if owner else None
    return AlreadyConfirmed() if user and user.confirmed_at and not user.deleted_at else Dead()
