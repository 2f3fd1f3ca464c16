"""The outbox: every mail, what became of it, the mail server's words, and sending one again."""

from gettext import gettext as _
from uuid import UUID

from quart import Blueprint, flash, render_template
from quart.typing import ResponseReturnValue

from ostiary_admin import limits
from ostiary_admin.door import begin_act
from ostiary_admin.flows import mail as acts
from ostiary_admin.inputs.mail import MailQuery
from ostiary_admin.pages import lists
from ostiary_admin.pages.acts import back, softly
from ostiary_admin.queries import mail
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, identity, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("mail", __name__, url_prefix="/admin/mail")


@blueprint.get("")
@door(needs(Permission.MESSAGES_READ), limits.READ)
async def index() -> ResponseReturnValue:
    """Mails, the latest first."""
    query = await lists.kindly(MailQuery)
    async with begin_work() as work:
        page = await mail.page(work, query.state, query.user, lists.place(query.keys))
    return await render_template("mail.html", page=page, query=query, links=lists.neighbours(page), states=mail.STATES)


@blueprint.get("/<uuid:message_id>")
@door(needs(Permission.MESSAGES_READ), limits.READ)
async def show(message_id: UUID) -> ResponseReturnValue:
    """One mail. Its text is not kept: it is written at the moment of sending."""
    async with begin_work() as work:
        found = await mail.get(work, message_id)
    again = found.state in {"sent", "failed"} and acts.may_resend(found.kind, identity().permissions)
    return await render_template("message.html", mail=found, again=again)


@blueprint.post("/<uuid:message_id>/resend")
@door(needs(Permission.MESSAGES_RESEND), limits.MAIL)
async def resend(message_id: UUID) -> ResponseReturnValue:
    """Queue the mail again, with a fresh link."""
    where = f"/admin/mail/{message_id}"
    async with softly():
        async with begin_act() as work:
            fresh = await acts.resend(work, message_id)
        await flash(_("It is queued again, with a fresh link. This is the new mail."), "good")
        where = f"/admin/mail/{fresh}"
    return back(where)
