"""One's own API tokens: a program carries one, and acts with those of one's roles and permissions that it names.

Made with the password only, shown once, announced by mail; never more than the person, at every use anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ostiary_auth.flows import check_password
from ostiary_auth.flows.change_password import WrongPassword
from ostiary_auth.tools import AuthWork, Desk
from ostiary_shared.errors import Conflict, FieldError, Invalid, NotFound
from ostiary_shared.events import Event
from ostiary_shared.identity import HeldRole, Identity
from ostiary_shared.models import ApiToken
from ostiary_shared.permissions import Permission
from ostiary_shared.store import api_tokens, audit, messages, passwords, users
from ostiary_shared.store.api_tokens import Wanted
from ostiary_shared.store.messages import Draft, Kind
from ostiary_shared.tokens import PERSONAL, mint

MOST = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """A token that somebody asks for. `scopes` are `role:NAME` and names of permissions."""

    name: str
    scopes: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True)
class OwnToken:
    """A token as its owner sees it again and again. Its value is not there to be seen."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A new token. Its value is shown here once."""

    token: OwnToken
    value: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A role whose permissions a token may have, and what those are."""

    role: str
    permissions: list[str]


async def mine(work: AuthWork, who: Identity) -> list[OwnToken]:
    """The tokens that were not revoked, the newest first; expired ones stay for a while, so that one sees why."""
    return [_shown(row) for row in await api_tokens.kept(work.session, who.id)]


async def offers(work: AuthWork, who: Identity) -> list[Offer]:
    """What a new token could be allowed: one's roles of this moment."""
    held = await users.held_roles(work.session, who.id, work.now)
    return [Offer(role.name, sorted(role.permissions)) for role in held]


async def create(desk: Desk, who: Identity, wish: Wish, current: str) -> Made | WrongPassword:
    """Make a token. Raises Invalid naming `scopes`, Conflict when there are too many, TooMany, Busy."""
    adopted = await check_password.check(desk, who, current)
    if adopted is None:
        return WrongPassword()
    async with desk.begin() as work:
        user = await users.hold_alone(work.session, who.id)
        if user is None or user.locked_at or await passwords.adopted(work.session, who.id) != adopted:
            return WrongPassword()  # replaced in this very moment, and every token with it
        return await _make(work, who, wish)


async def revoke(work: AuthWork, who: Identity, token_id: UUID) -> str:
    """Revoke one, and return its name; raises NotFound when it is not theirs, or revoked already."""
    name = await api_tokens.revoke(work.session, token_id, who.id, work.now, "revoked by the person")
    if name is None:
        raise NotFound("This token is revoked already.")
    await audit.record(work, Event.API_TOKEN_REVOKED, audit.Target(who.id, who.email), changes=({"token": name}, {}))
    return name


async def _make(work: AuthWork, who: Identity, wish: Wish) -> Made:
    scopes = tuple(dict.fromkeys(wish.scopes))
    _check(scopes, await users.held_roles(work.session, who.id, work.now))
    if await api_tokens.living(work.session, who.id, work.now) >= MOST:
        raise Conflict(f"You have {MOST} tokens already. Revoke one that you do not need any more.")
    token = mint(PERSONAL, work.tools.personal_key)
    wanted = Wanted(who.id, wish.name, token.digest, scopes, work.now + timedelta(days=wish.days))
    row = await api_tokens.add(work.session, wanted, work.now)
    draft = Draft(Kind.API_TOKEN_MADE, who.email, who.id, {"token": str(row.id)})
    await messages.queue(work.session, draft, work.now)
    facts = {"token": wish.name, "scopes": list(scopes), "expires_at": wanted.expires_at.isoformat(timespec="seconds")}
    await audit.record(work, Event.API_TOKEN_MADE, audit.Target(who.id, who.email), changes=({}, facts))
    return Made(_shown(row), token.value)


def _check(scopes: Collection[str], held: Collection[HeldRole]) -> None:
    """Raise Invalid for a scope that is not the owner's, or a permission without the role that it would come by."""
    chosen = [role for role in held if f"role:{role.name}" in scopes]
    allowed = {f"role:{role.name}" for role in chosen} | {item for role in chosen for item in role.permissions}
    wrong = sorted(set(scopes) - allowed)
    if not wrong:
        return
    by = sorted(role.name for role in held if wrong[0] in role.permissions)
    if by:
        roles = " or ".join(f"role:{name}" for name in by)
        raise Invalid(FieldError("scopes", f"{wrong[0]} needs the role that it comes by: add {roles}."))
    if wrong[0].startswith("role:") or wrong[0] in set(Permission):
        raise Invalid(FieldError("scopes", f"You do not have {wrong[0]} yourself."))
    raise Invalid(FieldError("scopes", f"There is no permission {wrong[0]}. A role is written role:NAME."))


def _shown(row: ApiToken) -> OwnToken:
    return OwnToken(row.id, row.name, list(row.scopes), row.created_at, row.expires_at, row.last_used_at)
