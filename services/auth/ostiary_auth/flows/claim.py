"""The first administrator: a link for whoever runs the machine, good once, and only while nobody administers."""

from dataclasses import dataclass

from ostiary_auth.flows import new_password, one_time, start_session
from ostiary_auth.flows.one_time import Dead, Proof
from ostiary_auth.flows.start_session import Entry, Started
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.events import Event
from ostiary_shared.models import User
from ostiary_shared.permissions import ADMIN, END_USER
from ostiary_shared.store import audit, one_time_tokens, passwords, roles, users
from ostiary_shared.store.one_time_tokens import Issue, Purpose
from ostiary_shared.tokens import ONE_TIME, digest, mint


@dataclass(frozen=True, slots=True)
class Claim:
    """The link's token, and who will be the first administrator."""

    token: str
    email: str
    password: str
    name: str = ""
    presented: str | None = None


async def make_claim_link(work: AuthWork) -> str | None:
    """A new link, which makes earlier ones worthless; None when somebody can administer already."""
    if await roles.usable_admins(work.session):
        return None
    await one_time_tokens.void_claims(work.session, work.now)
    token = mint(ONE_TIME)
    await one_time_tokens.issue(work.session, Issue(Purpose.CLAIM, token.digest), work.now)
    await audit.record(work, Event.CLAIM_LINK_MADE, audit.Target())
    return f"{work.tools.settings.public_url}/claim?token={token.value}"


async def is_live(work: AuthWork, token: str) -> bool:
    """Whether a claim link still does something; looking does not use it up."""
    found = await one_time.peek(work, Purpose.CLAIM, Proof(token)) if token else None
    return found is not None and not await roles.usable_admins(work.session)


async def claim(desk: Desk, wanted: Claim) -> Started | Dead:
    """Make the first administrator and sign them in. Raises Invalid, and then the link is still good."""
    async with desk.begin() as work:
        if not await is_live(work, wanted.token):
            return Dead()
    email = await new_password.weigh_with_address(desk.tools, wanted.password, email=wanted.email, name=wanted.name)
    hashed = await desk.tools.passwords.hash(wanted.password)
    async with desk.begin() as work:
        return await settle(work, Claim(wanted.token, email, hashed, wanted.name, wanted.presented))


async def settle(work: AuthWork, wanted: Claim) -> Started | Dead:
    """Use the link up; `wanted.password` is the hash. Of fifty at once, one becomes the administrator."""
    await roles.hold_admins(work.session)
    if await roles.usable_admins(work.session):
        return Dead()
    if not await one_time_tokens.consume(work.session, Purpose.CLAIM, digest(wanted.token), work.now):
        return Dead()
    user = await _person(work, wanted)
    await passwords.put(work.session, user.id, wanted.password, work.now)
    for name in (ADMIN, END_USER):
        role = await roles.find(work.session, name)
        if role:
            await roles.grant(work.session, roles.Grant(user.id, role.id, "claimed by link"), work.now)
    await one_time.end_all(work, user.id, "The account was claimed meanwhile.")
    await audit.record(work, Event.ADMIN_CLAIMED, audit.Target(user.id, user.email))
    return await start_session.start(work, user, Entry(presented=wanted.presented))


async def _person(work: AuthWork, wanted: Claim) -> User:
    user = await users.add(work.session, wanted.email, wanted.name, confirmed_at=work.now)
    if user:
        return user
    known = await users.find(work.session, wanted.email)
    # Whoever runs the machine may take over a sign-up that was never confirmed, but nobody's account.
    if known is None or known.confirmed_at is not None or known.locked_at is not None:
        raise Invalid(
            FieldError(
                "email",
                "An account has this address already. Use another, or grant it `admin` with ./ostiary users grant.",
            )
        )
    await users.change(work.session, known.id, name=wanted.name, confirmed_at=work.now)
    return await users.hold_alone(work.session, known.id) or known
