"""What somebody could open, by JSON."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import answer, says
from ostiary_admin.door import require
from ostiary_admin.queries import could_open
from ostiary_admin.queries.could_open import Opened
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_could_open", __name__, url_prefix="/admin/api/v1/users")


@dataclass(frozen=True, slots=True)
class Openings:
    """Every site, part by part; `next` is always null, for there are few."""

    items: list[Opened]
    next: str | None = None


@blueprint.get("/<uuid:user_id>/sites")
@says("users", Openings)
@door(needs(Permission.SITES_READ), limits.READ)
async def show(user_id: UUID) -> ResponseReturnValue:
    """Every rule of every site: would it let this person in, had they just signed in? Takes users:read, too."""
    await require(Permission.USERS_READ)
    async with begin_work() as work:
        found = await could_open.of(work, user_id)
    return answer(Openings(found))
