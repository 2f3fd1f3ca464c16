"""People by JSON: list, create, read, change."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import answer, asks, cursor, noted, place, says, takes
from ostiary_admin.door import begin_act, set_password
from ostiary_admin.flows import people as acts
from ostiary_admin.inputs.people import NewPerson, PeopleQuery, PersonPatch
from ostiary_admin.queries import people
from ostiary_admin.queries.people import PersonRow
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_json, read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_users", __name__, url_prefix="/admin/api/v1/users")


@dataclass(frozen=True, slots=True)
class People:
    """A page of people."""

    items: list[PersonRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class ChangedPerson(PersonRow):
    """A person as they are now, and since when what was taken away is in force everywhere."""

    receipt: Receipt | None


@blueprint.get("")
@says("users", People)
@asks(PeopleQuery)
@door(needs(Permission.USERS_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """People, searched, filtered, sorted and paged."""
    query = read_query(PeopleQuery)
    wanted = people.Filter(query.q, query.role, query.state, query.confirmed)
    async with begin_work() as work:
        page = await people.page(work, wanted, query.sort, place(query.keys))
    return answer(People(page.items, cursor(page)))


@blueprint.post("")
@says("users", PersonRow, 201)
@takes(NewPerson)
@door(needs(Permission.USERS_CREATE), limits.MAIL)
async def create() -> ResponseReturnValue:
    """Create a person, with an invitation mail if `invite` is true. Roles other than end-user need grants:write."""
    sent = await read_json(NewPerson)
    async with begin_act() as work:
        wanted = acts.Wanted(sent.email, sent.name, sent.roles, sent.reason, sent.invite)
        user_id = await acts.create(work, wanted)
        row = await people.get(work, user_id)
    response = answer(row, 201)
    response.headers["Location"] = f"{blueprint.url_prefix}/{user_id}"
    return response


@blueprint.get("/<uuid:user_id>")
@says("users", PersonRow)
@door(needs(Permission.USERS_READ), limits.READ)
async def show(user_id: UUID) -> ResponseReturnValue:
    """One person, deleted or not."""
    async with begin_work() as work:
        row = await people.get(work, user_id)
    return answer(row)


@blueprint.patch("/<uuid:user_id>")
@says("users", ChangedPerson)
@takes(PersonPatch)
@door(needs(Permission.USERS_UPDATE), limits.ACT)
async def change(user_id: UUID) -> ResponseReturnValue:
    """Change what is given; an empty password keeps the old one.

    A password or an address takes users:set-password, too; one's own are changed by /api/v1/account alone.
    """
    sent = await read_json(PersonPatch)
    password = sent.password.get_secret_value() if sent.password else ""
    receipt = await set_password(user_id, password, sent.email) if password else None
    async with begin_act() as work:
        await acts.edit(work, user_id, email=sent.email, name=sent.name)
        row = await people.get(work, user_id)
    return answer(noted(ChangedPerson, row, work.receipt or receipt))
