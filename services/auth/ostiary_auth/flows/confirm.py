"""Confirming an address: its own sign-up's password comes to life, all others are forgotten. Never signs anybody in."""

from dataclasses import dataclass
from uuid import UUID

from ostiary_auth.flows import one_time
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.models import User
from ostiary_shared.store import audit, messages, one_time_tokens, passwords, users
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.store.one_time_tokens import Consumed, Purpose
from ostiary_shared.tokens import digest


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Done. Without a password of their own the person chooses one by recovery."""

    email: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class AlreadyConfirmed:
    """The link was used before, and did its work then."""


Outcome = Confirmed | AlreadyConfirmed | Dead


async def is_live(work: AuthWork, token: str) -> Consumed | AlreadyConfirmed | Dead:
    """What a link is good for, without using it up: mail scanners open links, too."""
    found = await one_time.peek(work, Purpose.CONFIRM, Proof(token))
    return found or await _used_or_dead(work, token)


async def confirm(work: AuthWork, proof: Proof) -> Outcome:
    """Use a link or code up. Raises TooMany for guessed codes."""
    found = await one_time.consume(work, Purpose.CONFIRM, proof)
    user = await users.hold_alone(work.session, found.user_id) if found and found.user_id else None
    if found is None:
        return await _used_or_dead(work, proof.token)
    if user is None or user.confirmed_at is not None or user.email.casefold() != found.email.casefold():
        return Dead()
    return await _confirm(work, user, found.subject.get("password_id"))


async def _confirm(work: AuthWork, user: User, password_id: str | None) -> Confirmed:
    has_password = await passwords.adopted(work.session, user.id) is not None
    if password_id:
        has_password = await passwords.adopt(work.session, user.id, UUID(password_id), work.now)
    else:
        await passwords.forget_waiting(work.session, user.id)
    await users.change(work.session, user.id, confirmed_at=work.now)
    await one_time.end_all(work, user.id, "The address was confirmed meanwhile.")
    await messages.queue(work.session, Draft(Kind.WELCOME, user.email, user.id), work.now)
    await audit.record(work, Event.EMAIL_CONFIRMED, audit.Target(user.id, user.email))
    return Confirmed(user.email, has_password)


async def _used_or_dead(work: AuthWork, token: str) -> AlreadyConfirmed | Dead:
    owner = await one_time_tokens.used_by(work.session, Purpose.CONFIRM, digest(token)) if token else None
    user = await users.get(work.session, owner) if owner else None
    return AlreadyConfirmed() if user and user.confirmed_at and not user.deleted_at else Dead()
