"""Changing one's own address: asked for with the password, confirmed at the new one, announced at the old one."""

from dataclasses import dataclass

from ostiary_auth.flows import check_password, one_time, throttle
from ostiary_auth.flows.change_password import WrongPassword
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared import email_address
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.models import User
from ostiary_shared.store import audit, messages, one_time_tokens, passwords, sessions, users
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.store.one_time_tokens import Purpose


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail is on its way, if the address can be had at all: that is told there alone."""

    email: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The account has its new address."""

    email: str


async def ask(desk: Desk, who: Identity, typed: str, current: str) -> Asked | WrongPassword:
    """Ask for another address. Raises Invalid, TooMany, Busy."""
    email = email_address.parse(typed)
    if email.casefold() == who.email.casefold():
        raise Invalid(FieldError("email", "This is your address already."))
    adopted = await check_password.check(desk, who, current)
    if adopted is None:
        return WrongPassword()
    async with desk.begin() as work:
        user = await users.hold_alone(work.session, who.id)
        if user is None or await passwords.adopted(work.session, who.id) != adopted:
            return WrongPassword()  # replaced in this very moment, and every link with it
        await queue(work, who, email)
    return Asked(email)


async def queue(work: AuthWork, who: Identity, email: str) -> None:
    """Promise the mail. An address that somebody has gets none, and the asker does not learn that."""
    await one_time_tokens.void(work.session, work.now, who.id, Purpose.CHANGE_EMAIL)
    asked_again = frozenset({Kind.CHANGE_EMAIL})
    await messages.drop(work.session, who.id, work.now, "Another change was asked for.", asked_again)
    if not await throttle.may_mail(work, "change-email", email):
        return
    taken = await users.find(work.session, email)
    await messages.queue(work.session, Draft(Kind.CHANGE_EMAIL, email, None if taken else who.id), work.now)
    await audit.record(
        work,
        Event.EMAIL_CHANGE_ASKED,
        audit.Target(who.id, who.email),
        changes=({"email": who.email}, {"email": email}),
    )


async def is_live(work: AuthWork, token: str) -> str | None:
    """The new address that a link confirms, without using it up."""
    found = await one_time.peek(work, Purpose.CHANGE_EMAIL, Proof(token))
    return found.email if found else None


async def confirm(work: AuthWork, proof: Proof, who: Identity | None) -> Moved | Dead:
    """Use the proof up: it confirms the address it was mailed to, and no other.

    Raises TooMany for guessed codes, and Conflict when the address was taken meanwhile.
    """
    used = await one_time.use_up(work, Purpose.CHANGE_EMAIL, proof)
    if used is None:
        return Dead()
    found, user = used
    if user.locked_at is not None:
        return Dead()
    await _move(work, user, found.email, who)
    return Moved(found.email)


async def _move(work: AuthWork, user: User, email: str, who: Identity | None) -> None:
    old = user.email
    await users.change(work.session, user.id, email=email, confirmed_at=work.now)
    keep = who.session.id if who and who.id == user.id else None
    await sessions.end_all(work.session, user.id, work.now, "e-mail address changed", keep=keep)
    await one_time.end_all(work, user.id, "The address was changed meanwhile.")
    await messages.queue(work.session, Draft(Kind.EMAIL_CHANGED, old, user.id), work.now)
    await audit.record(
        work, Event.EMAIL_CHANGED, audit.Target(user.id, email), changes=({"email": old}, {"email": email})
    )
