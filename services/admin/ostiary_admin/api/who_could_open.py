"""Who could open a URL, by JSON."""

from dataclasses import dataclass

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import answer, asks, cursor, place, says
from ostiary_admin.door import require
from ostiary_admin.inputs.sites import WhoQuery
from ostiary_admin.queries import who_could_open
from ostiary_admin.queries.who_could_open import Visitor
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_who_could_open", __name__, url_prefix="/admin/api/v1/sites/who")


@dataclass(frozen=True, slots=True)
class Visitors:
    """The rule that decides, what it asks for, whether nobody need sign in, and a page of those it lets in.

    `count` is how many there are, counted no further than 10,001. With `depends_on_address` nobody is listed: ask again
    with `address`.
    """

    rule: str
    demand: str
    everybody: bool
    depends_on_address: bool
    count: int
    items: list[Visitor]
    next: str | None


@blueprint.get("")
@says("sites", Visitors)
@asks(WhoQuery)
@door(needs(Permission.SITES_READ), limits.READ)
async def show() -> ResponseReturnValue:
    """Who could open `url` by `method`, coming from `address`, as if they had just signed in. Takes users:read, too."""
    await require(Permission.USERS_READ)
    query = read_query(WhoQuery)
    wanted = who_could_open.Wanted(query.url, query.method.upper(), query.origin)
    async with begin_work() as work:
        found = await who_could_open.of(work, wanted, place(query.keys))
    demand = (found.rule, found.demand, found.everybody, found.depends_on_address)
    return answer(Visitors(*demand, found.count, found.page.items, cursor(found.page)))
