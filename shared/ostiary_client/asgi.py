"""ASGI middleware (Quart, FastAPI, Starlette): no genuine assertion, no identity and no way in but to public paths."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ostiary_client import headers
from ostiary_client.assertion import AssertionInvalid, KeysUnavailable
from ostiary_client.identity import KEY, Identity, answering
from ostiary_client.refusal import Refusal, unknown, unsure
from ostiary_client.trust import Trust
from ostiary_client.verifier import Verifier

# Frameworks disagree on the types of scope, receive and send; the protocol is the same.
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

POLICY_VIOLATION = 1008
_ACCEPTED = "websocket.accept"
_BEGINNINGS = frozenset({"http.response.start", _ACCEPTED, "websocket.http.response.start"})


class AsgiMiddleware:
    """Wraps an app; `scope["ostiary.identity"]` is then the Identity that sent the request, or None."""

    def __init__(self, app: App, trust: Trust) -> None:
        self._app = app
        self._trust = trust
        self._verifier = Verifier(trust)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on without any identity header but those that were proved."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        begun = ""

        async def noting(message: Any) -> None:
            nonlocal begun
            begun = message["type"] if message["type"] in _BEGINNINGS else begun
            await send(message)

        try:
            kept, assertion = headers.taken_off(scope["headers"])
            who = await self._who(assertion)
            if who is None and not self._trust.lets_pass(scope["path"]):
                raise unknown(f"{self._trust.issuer}/login")
            proved = headers.put_back(who, assertion) if who else []
            with answering(who):
                await self._app({**scope, "headers": [*kept, *proved], KEY: who}, receive, noting)
        except Refusal as refusal:
            if begun and begun != _ACCEPTED:
                raise
            await _refuse(refusal, scope, send) if not begun else await _hang_up(refusal, send)

    async def _who(self, assertion: str) -> Identity | None:
        if not assertion:
            return None
        try:
            return await self._verifier.verify(assertion)
        except AssertionInvalid:
            return None
        except KeysUnavailable as error:
            raise unsure() from error


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    """The problem document; a WebSocket is refused before it is accepted, which servers answer with 403 at least."""
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await _hang_up(refusal, send)
            return
        kind = "websocket.http.response"
    told = [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": told})
    # Servers know how to do without the last word; the test client of Quart 0.23 does not.
    await send({"type": f"{kind}.body", "body": refusal.body, "more_body": False})


async def _hang_up(refusal: Refusal, send: Send) -> None:
    await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": str(refusal)})
