"""Handing a sign-in over to a site of another host: the hop itself, and the page for when it did not work."""

from quart import Blueprint, Response, render_template, request
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import see_other
from ostiary_auth.flows import handover
from ostiary_auth.flows.handover import Wanted
from ostiary_auth.flows.place import Place
from ostiary_shared.errors import NotFound
from ostiary_shared.web.door import ANYONE, SIGNED_IN, door, identity
from ostiary_shared.web.visitor import visitor
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("handover", __name__)


@blueprint.get(handover.PATH)
@door(SIGNED_IN, limits.PAGE)
async def hand_over() -> ResponseReturnValue:
    """On to the site with a code. It opens nothing but in the browser that set out from there."""
    wanted = Wanted.read(f"{handover.PATH}?{request.query_string.decode('latin-1')}")
    async with begin_work() as work:
        carried = visitor().auth_id or ""
        address = await handover.hand_over(work, identity(), carried, wanted) if wanted else None
    if address is None:
        raise NotFound("There is no site at that address. Open the site again, and sign in from there.")
    return see_other(address)


@blueprint.get(f"{handover.PATH}/again")
@door(ANYONE, limits.PAGE)
async def again() -> ResponseReturnValue:
    """Never by itself: a browser that keeps no cookies would go round in circles."""
    scheme, _, host = request.args.get("site", "").partition("://")
    place = Place.told(scheme, host)
    async with begin_work() as work:
        known = place if place and await handover.guards(work, place) else None
    page = await render_template(
        "handover_again.html", site=known.host if known else "", retry=known.sign_in("/") if known else ""
    )
    return Response(page, 400, mimetype="text/html")
