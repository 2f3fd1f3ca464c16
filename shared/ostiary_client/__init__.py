"""What any service uses to trust Ostiary: check the signed identity header, or ask who a session token belongs to.

Depends on nothing of ours; `fetch_session` alone needs aiohttp. A name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ostiary_client.asgi import AsgiMiddleware
    from ostiary_client.assertion import AssertionInvalid, KeysUnavailable, verify_assertion
    from ostiary_client.guards import has_role, may, signed_in
    from ostiary_client.identity import Identity, current_identity
    from ostiary_client.protecting import protect
    from ostiary_client.refusal import Refusal
    from ostiary_client.service_token import Service, verify_service_token
    from ostiary_client.session import fetch_session
    from ostiary_client.session_sync import fetch_session_sync
    from ostiary_client.trust import Trust
    from ostiary_client.verifier import SyncVerifier, Verifier
    from ostiary_client.wsgi import WsgiMiddleware

# No name is that of a room: the module would take its place.
_ROOMS = {
    "AsgiMiddleware": "asgi",
    "AssertionInvalid": "assertion",
    "Identity": "identity",
    "KeysUnavailable": "assertion",
    "Refusal": "refusal",
    "Service": "service_token",
    "SyncVerifier": "verifier",
    "Trust": "trust",
    "Verifier": "verifier",
    "WsgiMiddleware": "wsgi",
    "current_identity": "identity",
    "fetch_session": "session",
    "fetch_session_sync": "session_sync",
    "has_role": "guards",
    "may": "guards",
    "protect": "protecting",
    "signed_in": "guards",
    "verify_assertion": "assertion",
    "verify_service_token": "service_token",
}

__all__ = [
    "AsgiMiddleware",
    "AssertionInvalid",
    "Identity",
    "KeysUnavailable",
    "Refusal",
    "Service",
    "SyncVerifier",
    "Trust",
    "Verifier",
    "WsgiMiddleware",
    "current_identity",
    "fetch_session",
    "fetch_session_sync",
    "has_role",
    "may",
    "protect",
    "signed_in",
    "verify_assertion",
    "verify_service_token",
]


def __getattr__(name: str) -> Any:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{room}"), name)
