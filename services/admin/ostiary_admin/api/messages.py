"""The outbox by JSON."""

from dataclasses import dataclass
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.api.answers import answer, asks, cursor, place, says
from ostiary_admin.door import begin_act
from ostiary_admin.flows import mail as acts
from ostiary_admin.inputs.mail import MailQuery
from ostiary_admin.queries import mail
from ostiary_admin.queries.mail import MessageRow
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.forms import read_query
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_messages", __name__, url_prefix="/admin/api/v1/messages")


@dataclass(frozen=True, slots=True)
class Messages:
    """A page of the outbox."""

    items: list[MessageRow]
    next: str | None


@blueprint.get("")
@says("messages", Messages)
@asks(MailQuery)
@door(needs(Permission.MESSAGES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Mails by state or person, the latest first."""
    query = read_query(MailQuery)
    async with begin_work() as work:
        page = await mail.page(work, query.state, query.user, place(query.keys))
    return answer(Messages(page.items, cursor(page)))


@blueprint.get("/<uuid:message_id>")
@says("messages", MessageRow)
@door(needs(Permission.MESSAGES_READ), limits.READ)
async def show(message_id: UUID) -> ResponseReturnValue:
    """One mail, without its text: that is written at the moment of sending."""
    async with begin_work() as work:
        row = await mail.get(work, message_id)
    return answer(row)


@blueprint.post("/<uuid:message_id>/resend")
@says("messages", MessageRow, 202)
@door(needs(Permission.MESSAGES_RESEND), limits.MAIL)
async def resend(message_id: UUID) -> ResponseReturnValue:
    """Queue a mail again, with a fresh link; answers with the new row. Takes what sending one anew takes, too."""
    async with begin_act() as work:
        row = await mail.get(work, await acts.resend(work, message_id))
    return answer(row, 202)
