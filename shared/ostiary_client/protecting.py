"""One line for an app of any framework we know by its shape: wraps it, and lets refusals be answered as such."""

from typing import Any

from ostiary_client.asgi import AsgiMiddleware
from ostiary_client.refusal import Refusal
from ostiary_client.trust import Trust
from ostiary_client.wsgi import WsgiMiddleware


def protect(app: Any, trust: Trust) -> None:
    """Put a Quart, Flask, FastAPI or Starlette app behind `trust`. Raises TypeError for any other.

    Middleware that shall answer before us, such as CORS, is added afterwards: the last one added is the outermost.
    """
    if hasattr(app, "asgi_app"):  # Quart
        app.asgi_app = AsgiMiddleware(app.asgi_app, trust)
        app.register_error_handler(Refusal, _answer)
    elif hasattr(app, "wsgi_app"):  # Flask
        app.wsgi_app = WsgiMiddleware(app.wsgi_app, trust)
        app.register_error_handler(Refusal, _answer)
    elif hasattr(app, "add_middleware"):  # Starlette, where exceptions come through to the middleware
        app.add_middleware(AsgiMiddleware, trust=trust)
    else:
        raise TypeError(f"{type(app).__name__} is none of ours; wrap it: AsgiMiddleware(app, trust) or WsgiMiddleware")


def _answer(refusal: Refusal) -> tuple[bytes, int, dict[str, str]]:
    """Flask and Quart make an answer of this, and take an exception without a handler for a crash."""
    return refusal.body, refusal.status, refusal.headers
