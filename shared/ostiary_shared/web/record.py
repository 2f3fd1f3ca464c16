"""Around an app, once for every request that reaches it: its id, its line in the log, its time and its trace.

Questions that are answered before the app wakes have none of these: they are counted (docs/operating/observe.md).
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

import structlog
from quart import Quart, request

from ostiary_shared import metrics, request_id, spans
from ostiary_shared.settings import Settings
from ostiary_shared.web.caller import behind, is_trusted

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

# Asked every few seconds by machines, and of no interest afterwards.
UNTOLD = ("/healthz", "/readyz")
# Nobody heard the answer: the client was gone (the number is nginx's).
GONE = 499
_ROUTE = "ostiary.route"

log = structlog.get_logger("ostiary")


def record(app: Quart, settings: Settings) -> None:
    """Stand directly before an app."""

    @app.before_request
    async def note_route() -> None:
        cast("Scope", request.scope)[_ROUTE] = request.url_rule.rule if request.url_rule else ""

    app.asgi_app = Recorder(app.asgi_app, settings)  # type: ignore[method-assign, assignment]


class Recorder:
    """The layer itself."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or whatever else a server may ask of an app."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, known, heard = time.perf_counter(), self._id(scope), _Heard(send)
        scope[request_id.FIELD] = heard.request_id = known
        metrics.begun()
        with request_id.carried(known), self._span(scope) as span:
            try:
                await self._app(scope, receive, heard)
            finally:
                self._done(scope, heard.status, time.perf_counter() - began)
                _name(span, scope, heard.status)

    def _id(self, scope: Scope) -> str:
        """The id a trusted proxy or service gave this request, or a fresh one."""
        given = _header(scope, b"x-request-id")
        return given if request_id.acceptable(given) and self._is_ours(scope) else request_id.fresh()

    def _span(self, scope: Scope) -> Any:
        """The request in its trace; whoever is not ours begins a new one, and has no say in whether it is kept."""
        ours = spans.tracing() and self._is_ours(scope)
        came_with = {name: _header(scope, name.encode()) for name in spans.HEADERS} if ours else {}
        return spans.tracer().serving(_method(scope), {name: value for name, value in came_with.items() if value})

    def _is_ours(self, scope: Scope) -> bool:
        return is_trusted(_peer(scope), (*self._settings.trusted_proxies, *self._settings.trusted_services))

    def _done(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = scope.get(_ROUTE, ""), _method(scope)
        metrics.answered(method, route, status, seconds)
        if route.endswith(UNTOLD):
            return
        more = {"address": self._address(scope)} if self._settings.log_addresses else {}
        log.info(
            "request",
            method=method,
            route=route or metrics.NO_ROUTE,
            status=status,
            ms=round(1000 * seconds, 1),
            **more,
        )

    def _address(self, scope: Scope) -> str:
        forwarded = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
        return str(behind(_peer(scope), forwarded, self._settings.trusted_proxies) or "unknown")


class _Heard:
    """Passes an answer on, with the id of the request among its headers, and remembers its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.request_id = ""
        self.status = GONE

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            known = (request_id.HEADER.lower().encode(), self.request_id.encode())
            message = {**message, "headers": [*message["headers"], known]}
        await self._send(message)


def _name(span: spans.Span, scope: Scope, status: int) -> None:
    if spans.tracing():
        route = scope.get(_ROUTE) or metrics.NO_ROUTE
        method = _method(scope)
        span.called(f"{method} {route}")
        span.note("http.request.method", method)
        span.note("http.route", route)
        span.note("http.response.status_code", status)
        span.note("ostiary.request_id", request_id.current())
        if status >= 500:
            span.went_wrong(str(status))


def _method(scope: Scope) -> str:
    """Anybody can make up a method: names are made of those that there are."""
    return scope["method"] if scope["method"] in metrics.METHODS else "other"


def _header(scope: Scope, wanted: bytes) -> str:
    found = [value for name, value in scope["headers"] if name == wanted]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _peer(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""
