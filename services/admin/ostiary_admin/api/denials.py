"""Refusals by JSON: the recent ones, and the steps behind a code."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import answer, asks, cursor, place, says
from ostiary_admin.door import token, tools
from ostiary_admin.inputs.listing import OfSomebody
from ostiary_admin.queries import denials, remedies
from ostiary_admin.queries.denials import DenialRow
from ostiary_admin.queries.remedies import Cure
from ostiary_shared.access import Remedy, Step
from ostiary_shared.errors import NotFound
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_denials", __name__, url_prefix="/admin/api/v1/denials")


@dataclass(frozen=True, slots=True)
class Denials:
    """A page of refusals of known people."""

    items: list[DenialRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal with every step; `user_id` is null for a stranger. `cure` is what the caller could do about it now."""

    code: str
    at: datetime
    count: int
    method: str
    url: str
    user_id: UUID | None
    email: str
    outcome: str
    cause: str | None
    steps: tuple[Step, ...]
    remedy: Remedy | None
    cure: Cure


@blueprint.get("")
@says("denials", Denials)
@asks(OfSomebody)
@door(needs(Permission.DENIALS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Refusals, of one person if asked, the latest first."""
    query = read_query(OfSomebody)
    async with begin_work() as work:
        page = await denials.page(work, query.user, place(query.keys))
    return answer(Denials(page.items, cursor(page)))


@blueprint.get("/<path:code>")
@says("denials", Denial)
@door(needs(Permission.DENIALS_READ), limits.READ)
async def show(code: str) -> ResponseReturnValue:
    """The steps behind a code of either kind, as auth explains it."""
    found = await tools().auth.denial(token(), code)
    if found is None:
        raise NotFound("There is no refusal with this code.")
    decision = found.decision
    async with begin_work() as work:
        cure = await remedies.of(work, decision.remedy, found.user_id)
    return answer(
        Denial(
            found.code,
            found.at,
            found.count,
            found.method,
            found.url,
            found.user_id,
            found.email,
            decision.outcome,
            decision.cause,
            decision.steps,
            decision.remedy,
            cure,
        )
    )
