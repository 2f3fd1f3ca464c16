"""WSGI middleware (Flask, …): no genuine assertion, no identity, and no way in but to public paths."""

from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from http import HTTPStatus
from typing import Any

from ostiary_client import headers
from ostiary_client.assertion import AssertionInvalid, KeysUnavailable
from ostiary_client.identity import KEY, Identity, remember
from ostiary_client.refusal import Refusal, unknown, unsure
from ostiary_client.trust import Trust
from ostiary_client.verifier import SyncVerifier

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]


class WsgiMiddleware:
    """Wraps an app; `environ["ostiary.identity"]` is then the Identity that sent the request, or None."""

    def __init__(self, app: App, trust: Trust) -> None:
        self._app = app
        self._trust = trust
        self._verifier = SyncVerifier(trust)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Check, then pass on without any identity header but those that were proved."""
        try:
            who = admitted(environ, self._verifier, self._trust)
            # A context of its own, for the app and for the body it streams: the thread's next request has another.
            context = copy_context()
            context.run(remember, who)
            return _Body(context, context.run(self._app, environ, start_response))
        except Refusal as refusal:
            status = f"{refusal.status} {HTTPStatus(refusal.status).phrase}"
            start_response(status, list(refusal.headers.items()))
            return [refusal.body]


def admitted(environ: Environ, verifier: SyncVerifier, trust: Trust) -> Identity | None:
    """Who comes in, written into the environ in place of what the request said; raises Refusal for whoever may not."""
    assertion = headers.take_off_environ(environ)
    try:
        who = verifier.verify(assertion) if assertion else None
    except AssertionInvalid:
        who = None
    except KeysUnavailable as error:
        raise unsure() from error
    if who is not None:
        headers.put_back_environ(environ, who, assertion)
    elif not trust.lets_pass(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")):
        raise unknown(f"{trust.issuer}/login")
    environ[KEY] = who
    return who


class _Body:
    """The answer's body, read in the request's own context and closed there."""

    def __init__(self, context: Context, body: Iterable[bytes]) -> None:
        self._context = context
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        pieces = self._context.run(iter, self._body)
        while (piece := self._context.run(next, pieces, None)) is not None:
            yield piece

    def close(self) -> None:
        if hasattr(self._body, "close"):
            self._context.run(self._body.close)
