"""The doorstep of signing in: while no more can wait, people are turned away before anything is read or looked up.

So a flood of sign-ins costs the event loop next to nothing, and those who only ask who they are hardly notice it.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from quart import Quart, request

from ostiary_auth import metrics
from ostiary_auth.factors.password import Passwords, busy

DOORS = frozenset({"/login", "/api/v1/login"})
Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[MutableMapping[str, Any], MutableMapping[str, Any]]


class Doorstep:
    """Stands before the app, and lets by whoever does not want to sign in."""

    def __init__(self, app: Quart, passwords: Passwords) -> None:
        self._quart = app
        self._app: Any = app.asgi_app
        self._passwords = passwords
        self._answers: dict[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """One request, or whatever else a server may ask of an app."""
        if self._passwords.full and scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in DOORS:
            metrics.HASH_REFUSED.inc()
            metrics.SIGN_INS.labels("busy").inc()
            for part in await self._answer(scope["path"]):
                await send(part)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, path: str) -> Answer:
        """What the app says to strangers who come when it is full; put together once."""
        if path not in self._answers:
            asking = self._quart.test_request_context(path, method="POST", headers={"Accept": "text/html"})
            async with asking as context:
                # As if there were no such address: nothing is counted, and the app finds the words.
                request.routing_exception = busy()
                response: Any = await self._quart.full_dispatch_request(context)
                body = await response.get_data(as_text=False)
            headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
            start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
            self._answers[path] = (start, {"type": "http.response.body", "body": body, "more_body": False})
        return self._answers[path]
