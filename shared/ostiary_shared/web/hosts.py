"""Under which host names browsers may ask (OSTIARY_TRUSTED_HOSTS). No link of ours ever comes from a request's host.

Proxies at the gate, supervisors and services know us by names of their own network: their doors are left out, and so
is whoever shows credentials in `Authorization`, which no page of a stranger's can make a browser send.
"""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from quart import Quart, request

from ostiary_shared.errors import Failure
from ostiary_shared.site_address import OURS
from ostiary_shared.web.kit import kit

MACHINES = frozenset(
    {
        "/gate", "/gate/nginx", "/api/v1/session", "/oauth/token", "/oauth/introspect", "/oauth/revoke",
        "/.well-known/jwks.json", "/.well-known/oauth-authorization-server",
        "/healthz", "/readyz", "/admin/healthz", "/admin/readyz",
    }
)  # fmt: skip
_WRITTEN = re.compile(r"\[?([A-Za-z0-9._:-]+?)\.?\]?(:[0-9]{1,5})?")


class Misdirected(Failure):
    """The request is for somebody else's host (RFC 9110, 15.5.20)."""

    status = 421
    code = "unknown_host"


def keep_hosts(app: Quart) -> None:
    """Check the host of every request before anything else is looked at."""
    app.before_request(_check)


async def _check() -> None:
    settings = kit().settings
    if not settings.trusted_hosts or request.path in MACHINES or request.path.startswith(OURS):
        return
    if "Authorization" in request.headers:
        return
    named = request.headers.getlist("Host")
    if len(named) != 1 or not is_ours(named[0], (settings.public_url, *settings.trusted_hosts)):
        raise Misdirected("Ostiary is not known by this name. Start from the address that you were given.")


@lru_cache(maxsize=1024)
def is_ours(host: str, names: tuple[str, ...]) -> bool:
    """Whether a Host header is one of these names, of which the first is our public URL. Pure."""
    written = _WRITTEN.fullmatch(host)
    if not written:
        return False
    asked = written[1].lower()
    ours = {urlsplit(names[0]).hostname or "", *(name.strip("[]") for name in names[1:])}
    return asked in ours or (asked.partition(".")[0] != "" and f"*.{asked.partition('.')[2]}" in ours)
