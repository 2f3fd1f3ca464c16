"""What arrived of a request, told to the operator's doctor and to nobody else: `./ostiary doctor --through URL`."""

from quart import Blueprint, abort, jsonify, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from ostiary_auth import limits
from ostiary_auth.flows import probe
from ostiary_auth.gate.answers import IDENTITY_HEADERS
from ostiary_shared import clock
from ostiary_shared.release import VERSION
from ostiary_shared.site_address import OURS
from ostiary_shared.web.caller import address, from_trusted_proxy, request_id
from ostiary_shared.web.door import JUDGED_WITHIN, door
from ostiary_shared.web.kit import kit

blueprint = Blueprint("probe", __name__)

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method")
_IDENTITY = frozenset(name.lower() for name in IDENTITY_HEADERS)


@blueprint.get("/api/v1/probe")
@blueprint.get(f"{OURS}probe")
@hide
@door(JUDGED_WITHIN, limits.PAGE)
async def seen() -> ResponseReturnValue:
    """The headers that proxies set, the peer, and what we make of them. Without a mark there is nothing here."""
    if not probe.believed(kit().tools.probe_key, request.headers.get(probe.HEADER, ""), clock.now()):
        abort(404)
    headers = request.headers
    spelled = {name: name.lower().replace("_", "-").replace(".", "-") for name in headers.keys()}  # noqa: SIM118
    client = address()
    return jsonify({
        "release": VERSION,
        "time": clock.now().isoformat(),
        "peer": request.remote_addr or "",
        "trusted": from_trusted_proxy(),
        "client": str(client) if client else "",
        "host": request.host,
        "forwarded": {name: ", ".join(headers.getlist(name)) for name in FORWARDED if name in headers},
        "identity": sorted(name for name, plain in spelled.items() if plain in _IDENTITY),
        "request_id": request_id(),
    })  # fmt: skip
