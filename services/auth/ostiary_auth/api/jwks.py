"""The public keys under which assertions are signed (RFC 7517)."""

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import tag

from ostiary_auth.flows import signing_keys
from ostiary_shared.web.door import ANYONE, Unlimited, door
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_jwks", __name__)

FIVE_MINUTES = 300


@blueprint.get("/.well-known/jwks.json")
@tag(["for services"])
@door(ANYONE, Unlimited("a public document, cached for five minutes"))
async def jwks() -> ResponseReturnValue:
    """The keys that verify `X-Ostiary-Assertion`."""
    async with begin_work() as work:
        keys = await signing_keys.public_set(work)
    response = jsonify(keys)
    response.headers["Cache-Control"] = f"public, max-age={FIVE_MINUTES}"
    return response
