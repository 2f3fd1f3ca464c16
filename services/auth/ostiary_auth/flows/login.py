"""Signing in with a password.

Known, unknown, locked and unconfirmed addresses get the same answer for the same work; the password is counted as a
guess first and given back when it was right.
"""

from dataclasses import dataclass, replace

from ostiary_auth import metrics
from ostiary_auth.factors.password import Verdict
from ostiary_auth.flows import known_device, start_session, throttle
from ostiary_auth.flows.start_session import Entry, Started
from ostiary_auth.tools import AuthTools, Desk
from ostiary_shared import clock, email_address
from ostiary_shared.errors import Busy, Invalid, TooMany
from ostiary_shared.store import passwords, sign_ins
from ostiary_shared.store.sign_ins import Against

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
    """What the password is checked against, read before the check, and what was counted for it."""

    shown: Against
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
_WORDS = {SignedIn: "signed_in", NotConfirmed: "not_confirmed", Refused: "refused"}


async def sign_in(desk: Desk, attempt: Attempt) -> Outcome:
    """Check a password and start a session. Raises TooMany, and Busy when too many wait: that is no guess."""
    attempt = replace(attempt, email=written(attempt.email))
    try:
        outcome = await _sign_in(desk, attempt)
    except (TooMany, Busy) as error:
        metrics.SIGN_INS.labels("too_often" if isinstance(error, TooMany) else "busy").inc()
        raise
    metrics.SIGN_INS.labels(_WORDS[type(outcome)]).inc()
    return outcome


async def _sign_in(desk: Desk, attempt: Attempt) -> Outcome:
    async with desk.tools.turns.at(throttle.mark(attempt.email)):
        with desk.tools.passwords.seat():
            challenge = await ask(desk, attempt)
            checked = await check(desk.tools, challenge, attempt.password)
        return await settle(desk, challenge, attempt, checked)


async def ask(desk: Desk, attempt: Attempt) -> Challenge:
    """Read what the attempt is up against and count it; raises TooMany."""
    shown = await sign_ins.against(desk.tools.statements, attempt.email)
    counts = throttle.guesses(attempt.email, known_device.recognise(desk.tools, attempt.device, shown.user_id))
    await throttle.take_alone(desk.tools, counts)
    return Challenge(shown, counts)


async def check(tools: AuthTools, challenge: Challenge, password: str) -> Checked:
    """The hashing, outside every transaction. Unless it lets somebody in, it is always two hashes.

    Confirmed accounts have waiting passwords, too (see signup): otherwise signing up with somebody's address and then
    signing in would tell whether they have an account.
    """
    own = await tools.passwords.verify(challenge.shown.adopted, password)
    if own.right and challenge.shown.usable:
        return Checked(own)
    waiting = await tools.passwords.verify(challenge.shown.waiting, password)
    return Checked(own, waiting.right)


async def settle(desk: Desk, challenge: Challenge, attempt: Attempt, checked: Checked) -> Outcome:
    """What the check means for the person as they are now: locking and password changes since `ask` count."""
    if checked.own.right and challenge.shown.usable:
        entry = Entry(remember=attempt.remember, presented=attempt.presented)
        started = await start_session.enter(desk, challenge.shown, entry)
        if started:
            return await _let_in(desk, challenge, attempt, checked, started)
    unconfirmed = await sign_ins.refuse(desk.tools.statements, challenge.shown, await desk.caller(), clock.now())
    if checked.waiting or (checked.own.right and unconfirmed):
        return NotConfirmed(attempt.email)
    return Refused()


async def _let_in(desk: Desk, challenge: Challenge, attempt: Attempt, checked: Checked, started: Started) -> SignedIn:
    await throttle.give_back_alone(desk.tools, challenge.counts)
    user_id, adopted = challenge.shown.user_id, challenge.shown.adopted
    if checked.own.rehashed and adopted:
        async with desk.begin() as work:
            await passwords.rehash(work.session, user_id, adopted, checked.own.rehashed)
    known = known_device.recognise(desk.tools, attempt.device, user_id)
    return SignedIn(started, attempt.device if known and attempt.device else known_device.mark(desk.tools, user_id))


def written(typed: str) -> str:
    """An address as it is kept, or as it was typed when it cannot be one: that is nobody's then."""
    try:
        return email_address.parse(typed)
    except Invalid:
        return typed.strip()
