"""No request forged by another site: Sec-Fetch-Site decides, else Origin. No tokens, so no form can be stale.

The rule of OWASP's fetch-metadata policy. It covers sign-in, sign-out and sign-up alike, and JSON.
"""

from enum import Enum
from urllib.parse import urlsplit

from quart import request

from ostiary_shared.errors import Failure
from ostiary_shared.web.kit import kit
from ostiary_shared.web.visitor import visitor

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Stance(Enum):
    """What a route asks of a request that changes something."""

    SAME_ORIGIN = "only from our own pages, or from a program that is no browser"
    NOT_NEEDED = "changes nothing on behalf of the visitor"


class CrossSiteError(Failure):
    """Another site sent this request through the visitor's browser."""

    status = 403
    code = "cross_site"

    def __init__(self) -> None:
        super().__init__(
            "This request did not come from our own page, so nothing was done. "
            f"Open {kit().settings.public_url} and try again."
        )


def check(stance: Stance) -> None:
    """Raise CrossSiteError for a forged request."""
    if stance is Stance.NOT_NEEDED or request.method in SAFE_METHODS or visitor().bearer:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise CrossSiteError
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin != kit().settings.public_url and urlsplit(origin).netloc != request.host:
        raise CrossSiteError
