"""Changing one's own password. Every other session, API token and outstanding link ends with the old one."""

from dataclasses import dataclass, replace

from ostiary_auth.flows import check_password, new_password, one_time
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.revocation import Receipt
from ostiary_shared.store import api_tokens, audit, messages, passwords, sessions, site_sessions, users
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.tokens import SESSION, mint


@dataclass(frozen=True, slots=True)
class Replacement:
    """The hash that was right a moment ago, and the one that shall take its place."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Done: the new token of this session, whether it is to be remembered, how many others and API tokens ended."""

    token: str
    remember: bool
    ended: int
    revoked: int
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """The present password is another. This counts as a guess."""


async def change(desk: Desk, who: Identity, current: str, password: str) -> Changed | WrongPassword:
    """Replace the password by a new one. Raises Invalid for one that will not do, TooMany, Busy."""
    old = await check_password.check(desk, who, current)
    if old is None:
        return WrongPassword()
    if password == current:
        raise Invalid(FieldError("password", "This is the password you have already. Please choose another."))
    await new_password.weigh(desk.tools, password, email=who.email, name=who.name)
    new = await desk.tools.passwords.hash(password)
    async with desk.begin() as work:
        outcome = await settle(work, who, Replacement(old, new))
    return replace(outcome, receipt=work.receipt) if isinstance(outcome, Changed) else outcome


async def settle(work: AuthWork, who: Identity, replacement: Replacement) -> Changed | WrongPassword:
    """Write it down, unless somebody else replaced the password in between."""
    user = await users.hold_alone(work.session, who.id)
    if user is None or await passwords.adopted(work.session, who.id) != replacement.old:
        return WrongPassword()
    await passwords.put(work.session, user.id, replacement.new, work.now)
    ended = await sessions.end_all(work.session, user.id, work.now, "password changed", keep=who.session.id)
    revoked = await api_tokens.revoke_all(work.session, user.id, work.now, "password changed")
    await one_time.end_all(work, user.id, "The password was changed meanwhile.")
    token = mint(SESSION, work.tools.session_key)
    await sessions.rotate(work.session, who.session.id, token.digest, work.now)
    await site_sessions.end_of(work.session, who.session.id)
    await messages.queue(work.session, Draft(Kind.PASSWORD_CHANGED, user.email, user.id), work.now)
    await audit.record(work, Event.PASSWORD_CHANGED, audit.Target(user.id, user.email))
    usual = work.tools.lifetime(remember=False).absolute
    return Changed(token.value, who.session.expires_at - who.session.created_at > usual, ended, revoked)
