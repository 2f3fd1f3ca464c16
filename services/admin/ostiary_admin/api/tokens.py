"""People's API tokens by JSON: seeing and revoking them."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import Revoked, answer, says
from ostiary_admin.door import begin_act
from ostiary_admin.flows import tokens as acts
from ostiary_admin.queries import people, tokens
from ostiary_admin.queries.tokens import TokenRow
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_tokens", __name__, url_prefix="/admin/api/v1/users/<uuid:user_id>/tokens")


@dataclass(frozen=True, slots=True)
class Tokens:
    """All API tokens of a person that were not revoked; `next` is always null, for there are few."""

    items: list[TokenRow]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class AllRevoked:
    """How many tokens were revoked, and when that was in force everywhere."""

    revoked: int
    receipt: Receipt | None = None


@blueprint.get("")
@says("tokens", Tokens)
@door(needs(Permission.SESSIONS_READ), limits.READ)
async def index(user_id: UUID) -> ResponseReturnValue:
    """The API tokens of a person, the newest first."""
    async with begin_work() as work:
        await people.get(work, user_id)
        found = await tokens.of(work, user_id)
    return answer(Tokens(found))


@blueprint.delete("/<uuid:token_id>")
@says("tokens", Revoked)
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def revoke(user_id: UUID, token_id: UUID) -> ResponseReturnValue:
    """Revoke one token."""
    async with begin_act() as work:
        done = await acts.revoke(work, user_id, token_id)
    return answer(Revoked(done, work.receipt))


@blueprint.delete("")
@says("tokens", AllRevoked)
@door(needs(Permission.SESSIONS_END), limits.ACT)
async def revoke_all(user_id: UUID) -> ResponseReturnValue:
    """Revoke every API token of a person."""
    async with begin_act() as work:
        revoked = await acts.revoke_all(work, user_id)
    return answer(AllRevoked(revoked, work.receipt))
