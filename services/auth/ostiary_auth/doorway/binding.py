"""Knowing again the browser that a sign-up came from, when it opens the link of the mail."""

import re

from quart import Response, request

from ostiary_auth.doorway.inputs import Confirming
from ostiary_auth.flows.confirm import Confirmation
from ostiary_auth.flows.origin import Origin
from ostiary_shared.tokens import random_bytes
from ostiary_shared.web import caller
from ostiary_shared.web.kit import kit
from ostiary_shared.web.visitor import cookie_name

DAY = 86_400  # as long as the mail's link is good
_FORM = re.compile(r"[0-9a-f]{64}")


def origin() -> Origin:
    """Where this request comes from."""
    return Origin("" if caller.address() is None else caller.network(), _mark())


def confirming(sent: Confirming) -> Confirmation:
    """The confirmation that a form or a JSON body stands for."""
    return Confirmation(sent.proof(), origin(), sent.password.get_secret_value(), sent.name)


def bind(response: Response) -> Response:
    """Leave the browser a mark of its own, or keep the one it has for another day."""
    response.set_cookie(
        _cookie(),
        _mark() or random_bytes(32).hex(),
        max_age=DAY,
        secure=kit().settings.secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _mark() -> str:
    shown = request.cookies.get(_cookie(), "")
    return shown if _FORM.fullmatch(shown) else ""


def _cookie() -> str:
    return cookie_name(kit().settings, stem="ostiary-signup")
