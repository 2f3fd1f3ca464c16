"""One's own API tokens: which there are, a new one shown once, and revoking them."""

from uuid import UUID

from quart import Blueprint, flash, render_template
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import desk, see_other, settled
from ostiary_auth.doorway.inputs import TokenWish
from ostiary_auth.flows import api_tokens
from ostiary_auth.flows.api_tokens import Made, Offer, Wish
from ostiary_shared import clock
from ostiary_shared.errors import Conflict, Invalid, NotFound
from ostiary_shared.permissions import MEANINGS
from ostiary_shared.web.door import SIGNED_IN, door, identity
from ostiary_shared.web.forms import Form, read_form
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("tokens", __name__)

DAYS = (7, 30, 90, 180, 366)
USUAL = "90"
_MEANINGS = {str(known): words for known, words in MEANINGS.items()}
# A box to tick: its value, its label, and a note.
Box = tuple[str, str, str]


@blueprint.get("/account/tokens")
@door(SIGNED_IN, limits.PAGE)
async def page() -> ResponseReturnValue:
    return await _page(Form(values={"days": USUAL}))


@blueprint.post("/account/tokens")
@door(SIGNED_IN, limits.ACT)
async def create() -> ResponseReturnValue:
    sent = await read_form(TokenWish)
    try:
        if sent.data:
            wish = Wish(sent.data.name, sent.data.scopes, sent.data.days)
            made = await api_tokens.create(desk(), identity(), wish, sent.data.current_password.get_secret_value())
            if isinstance(made, Made):
                # Shown by this very answer: on its way through a redirect it would have to be kept somewhere.
                return await render_template("token_made.html", made=made), 201
            sent.errors["current_password"] = "This is not your current password."
    except Invalid as invalid:
        sent.reject(invalid)
    except Conflict as full:
        sent.errors[""] = full.detail
    return await _page(sent), 422


@blueprint.post("/account/tokens/<uuid:token_id>/revoke")
@door(SIGNED_IN, limits.ACT)
async def revoke(token_id: UUID) -> ResponseReturnValue:
    try:
        async with begin_work() as work:
            name = await api_tokens.revoke(work, identity(), token_id)
        await flash(settled(f"“{name}” is revoked.", work.receipt), "good")
    except NotFound as over:
        await flash(over.detail, "info")
    return see_other("/account/tokens")


async def _page(sent: Form[TokenWish]) -> str:
    async with begin_work() as work:
        mine = await api_tokens.mine(work, identity())
        offers = await api_tokens.offers(work, identity())
    return await render_template(
        "tokens.html",
        tokens=mine,
        roles=_roles(offers),
        permissions=_permissions(offers),
        days=[(str(count), "A year" if count == DAYS[-1] else f"{count} days") for count in DAYS],
        values=sent.values,
        errors=sent.errors,
        now=clock.now(),
    )


def _roles(offers: list[Offer]) -> list[Box]:
    words = "Sites that let %s in let the program in, too."
    return [(f"role:{offer.role}", f"Role {offer.role}", words % offer.role) for offer in offers]


def _permissions(offers: list[Offer]) -> list[Box]:
    by: dict[str, list[str]] = {}
    for offer in offers:
        for name in offer.permissions:
            by.setdefault(name, []).append(offer.role)
    return [(name, name, f"{_MEANINGS.get(name, name)}. By {' or '.join(by[name])}.") for name in sorted(by)]
