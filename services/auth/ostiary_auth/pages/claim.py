"""The page behind the claim link on the operator's terminal: who shall be the first administrator."""

from quart import Blueprint, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import carry_on, desk, presented, see_other
from ostiary_auth.doorway.inputs import ClaimForm
from ostiary_auth.flows import claim
from ostiary_auth.flows.claim import Claim
from ostiary_auth.flows.one_time import Dead
from ostiary_shared.errors import Invalid
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.forms import read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("claim", __name__)


@blueprint.get("/claim")
@door(ANYONE, limits.TOKEN)
async def page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    async with begin_work() as work:
        live = await claim.is_live(work, token)
    if not live:
        return await _dead()
    return await render_template("claim.html", values={"token": token}, errors={})


@blueprint.post("/claim")
@door(ANYONE, limits.TOKEN)
async def use() -> ResponseReturnValue:
    sent = await read_form(ClaimForm)
    try:
        if sent.data:
            outcome = await claim.claim(desk(), _claim(sent.data))
            if isinstance(outcome, Dead):
                return await _dead()
            carry_on(outcome)
            return see_other("/admin")
    except Invalid as invalid:
        sent.reject(invalid)
    return await render_template("claim.html", values=sent.values, errors=sent.errors), 422


def _claim(sent: ClaimForm) -> Claim:
    return Claim(sent.token, sent.email, sent.password.get_secret_value(), sent.name, presented())


async def _dead() -> ResponseReturnValue:
    return await render_template("claim_dead.html"), 410
