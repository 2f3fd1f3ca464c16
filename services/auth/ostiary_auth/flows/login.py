"""Signing in with a password.

Known, unknown, locked and unconfirmed addresses get the same answer for the same work; the password is counted as a
guess first and given back when it was right.
"""

from dataclasses import dataclass
from uuid import UUID

from ostiary_auth.factors.password import Verdict
from ostiary_auth.flows import known_device, start_session, throttle
from ostiary_auth.flows.start_session import Entry, Started
from ostiary_auth.tools import AuthTools, AuthWork, Desk
from ostiary_shared import email_address
from ostiary_shared.errors import Invalid
from ostiary_shared.events import Event
from ostiary_shared.models import User
from ostiary_shared.store import audit, passwords, users

NOBODY = UUID(int=0)
WRONG = "Address and password do not match an account here."


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody brings: address, password, the mark of their device and the session token in hand, if any."""

    email: str
    password: str
    remember: bool = False
    device: str | None = None
    presented: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the password is checked against, read before the check. Everything is there for strangers, too."""

    email: str
    user_id: UUID
    usable: bool
    adopted: str | None
    waiting: str | None
    counts: tuple[throttle.Count, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """Which password it was: the account's own, or one of a sign-up that still waits for its link."""

    own: Verdict
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """In. `device` is the mark to leave on this device."""

    started: Started
    device: str


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """The password is right; the address still waits for its link."""

    email: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No, for a reason that is nobody's business."""


Outcome = SignedIn | NotConfirmed | Refused


async def sign_in(desk: Desk, attempt: Attempt) -> Outcome:
    """Check a password and start a session. Raises TooMany, and Busy when too many hashes wait."""
    async with desk.tools.turns.at(throttle.mark(written(attempt.email))):
        async with desk.begin() as work:
            challenge = await ask(work, attempt)
        checked = await check(desk.tools, challenge, attempt.password)
        async with desk.begin() as work:
            return await settle(work, challenge, attempt, checked)


async def ask(work: AuthWork, attempt: Attempt) -> Challenge:
    """Count the attempt and read what it is up against; raises TooMany."""
    email = written(attempt.email)
    user = await users.find(work.session, email)
    user_id = user.id if user else NOBODY
    # What waited when an administrator confirmed the address waits for ever: it is no password any more.
    waiting = await passwords.waiting(work.session, user_id, since=user.confirmed_at if user else None)
    device = known_device.recognise(work.tools, attempt.device, user_id)
    counts = throttle.guesses(email, device)
    await throttle.take(work, counts)
    return Challenge(
        email=email,
        user_id=user_id,
        usable=_usable(user),
        counts=counts,
        adopted=await passwords.adopted(work.session, user_id),
        waiting=waiting.hash if waiting else None,
    )


async def check(tools: AuthTools, challenge: Challenge, password: str) -> Checked:
    """The hashing, outside every transaction. Unless it lets somebody in, it is always two hashes.

    Confirmed accounts have waiting passwords, too (see signup): otherwise signing up with somebody's address and then
    signing in would tell whether they have an account.
    """
    own = await tools.passwords.verify(challenge.adopted, password)
    if own.right and challenge.usable:
        return Checked(own)
    waiting = await tools.passwords.verify(challenge.waiting, password)
    return Checked(own, waiting.right)


async def settle(work: AuthWork, challenge: Challenge, attempt: Attempt, checked: Checked) -> Outcome:
    """What the check means for the person as they are now: locking and password changes since `ask` count."""
    user = await users.hold_alone(work.session, challenge.user_id)
    unchanged = await passwords.adopted(work.session, challenge.user_id) == challenge.adopted
    own = checked.own.right and unchanged
    if user and own and _usable(user):
        return await _let_in(work, user, challenge, attempt, checked)
    # Only accounts go by name: people type passwords into the address field.
    await audit.record(work, Event.LOGIN_FAILED, audit.Target(user.id, user.email) if user else audit.Target())
    if checked.waiting or (user and own and user.locked_at is None):
        return NotConfirmed(challenge.email)
    return Refused()


async def _let_in(work: AuthWork, user: User, challenge: Challenge, attempt: Attempt, checked: Checked) -> SignedIn:
    await throttle.give_back(work, challenge.counts)
    if checked.own.rehashed and challenge.adopted:
        await passwords.rehash(work.session, user.id, challenge.adopted, checked.own.rehashed)
    started = await start_session.start(work, user, Entry(remember=attempt.remember, presented=attempt.presented))
    known = known_device.recognise(work.tools, attempt.device, user.id)
    return SignedIn(started, attempt.device if known and attempt.device else known_device.mark(work.tools, user.id))


def written(typed: str) -> str:
    """An address as it is kept, or as it was typed when it cannot be one: that is nobody's then."""
    try:
        return email_address.parse(typed)
    except Invalid:
        return typed.strip()


def _usable(user: User | None) -> bool:
    return user is not None and user.confirmed_at is not None and user.locked_at is None
