"""The front page: there is none, only the way to one's account or to the sign-in."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.doorway.entering import see_other
from ostiary_shared.web.door import ANYONE, door, maybe_identity

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@door(ANYONE, limits.PAGE)
async def home() -> ResponseReturnValue:
    return see_other("/account" if maybe_identity() else "/login")
