"""Signing up. The same answer for new and known addresses; what differs goes into the mail.

Each sign-up's password and name wait until the mailbox is proved where they were typed (see confirm).
"""

from dataclasses import dataclass, replace

from ostiary_auth.flows import new_password, throttle
from ostiary_auth.flows.origin import NOWHERE, Origin, mark
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.errors import Forbidden
from ostiary_shared.events import Event
from ostiary_shared.models import User
from ostiary_shared.permissions import END_USER
from ostiary_shared.store import audit, messages, passwords, roles, users
from ostiary_shared.store.messages import Draft, Kind


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants in."""

    email: str
    password: str
    name: str = ""
    origin: Origin = NOWHERE


async def sign_up(desk: Desk, wish: Wish) -> None:
    """Take a wish to join; nothing tells whether the address was known. Raises Invalid, Forbidden, Busy."""
    must_be_open(desk)
    email = await new_password.weigh_with_address(desk.tools, wish.password, email=wish.email, name=wish.name)
    hashed = await desk.tools.passwords.hash(wish.password)
    async with desk.begin() as work:
        await keep(work, replace(wish, email=email, password=hashed))


def is_open(desk: Desk) -> bool:
    """Whether strangers may sign up here."""
    return desk.tools.settings.registration == "open"


def must_be_open(desk: Desk) -> None:
    """Raise Forbidden where accounts come by invitation only."""
    if not is_open(desk):
        raise Forbidden(
            "Accounts come by invitation here. Please ask your administrator for one.", "registration_closed"
        )


async def keep(work: AuthWork, wish: Wish) -> None:
    """Write the sign-up down; `wish.password` is its hash. Beyond the mails one address may get, nothing is kept."""
    if not await throttle.may_mail(work, "signup", wish.email):
        return
    fresh = await users.add(work.session, wish.email, "")
    user = fresh or await users.find(work.session, wish.email)
    if user is None:
        return  # deleted in this very moment
    if fresh:
        await _welcome(work, fresh)
    waiting = passwords.SignUp(user.id, wish.password, mark(work.tools, wish.origin), wish.name)
    password_id = await passwords.wait(work.session, waiting, work.now)
    # The mail goes to the address as it is kept, never as it was typed: two that look alike may be two mailboxes.
    if user.confirmed_at is None and user.locked_at is None:
        draft = Draft(Kind.CONFIRM, user.email, user.id, {"password_id": str(password_id)})
    else:
        draft = Draft(Kind.SIGNUP_EXISTING, user.email, user.id)
    await messages.queue(work.session, draft, work.now)
    await audit.record(
        work, Event.SIGNUP_STARTED, audit.Target(user.id, user.email), reason="" if fresh else "the address was known"
    )


async def _welcome(work: AuthWork, user: User) -> None:
    role = await roles.find(work.session, END_USER)
    if role:
        await roles.grant(work.session, roles.Grant(user.id, role.id, "signed up"), work.now)
