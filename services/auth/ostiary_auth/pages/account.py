"""One's own account at a glance, and the name."""

from quart import Blueprint, flash, render_template
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import see_other
from ostiary_auth.doorway.inputs import Rename
from ostiary_auth.flows import account
from ostiary_shared.web.door import SIGNED_IN, door, identity
from ostiary_shared.web.forms import read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@door(SIGNED_IN, limits.PAGE)
async def page() -> ResponseReturnValue:
    return await render_template("account.html", values={"name": identity().name}, errors={})


@blueprint.post("/account")
@door(SIGNED_IN, limits.ACT)
async def rename() -> ResponseReturnValue:
    sent = await read_form(Rename)
    if sent.data is None:
        return await render_template("account.html", values=sent.values, errors=sent.errors), 422
    async with begin_work() as work:
        await account.rename(work, identity(), sent.data.name)
    await flash("Your name is saved.", "good")
    return see_other("/account")
