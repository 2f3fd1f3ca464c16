"""Which token does a request carry? The one order in which headers are read, for every door to a site. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ostiary_auth.settings import AuthSettings
from ostiary_shared.tokens import PERSONAL, SESSION, SITE
from ostiary_shared.web.cookies import sole
from ostiary_shared.web.visitor import cookie_name

# Something of ours was there, but nothing that could be told for certain: no token at all, so it opens nothing.
ILLEGIBLE = b""
_SESSION, _SITE, _PERSONAL = (f"{kind}_".encode() for kind in (SESSION, SITE, PERSONAL))


@dataclass(frozen=True, slots=True)
class Names:
    """What the cookies are called: the session's own, and that of one site alone; empty where a door takes none."""

    session: bytes
    site: bytes = b""


def names_of(settings: AuthSettings) -> Names:
    """The names that the settings call for."""
    own = cookie_name(settings, settings.cookie_domain)
    return Names(own.encode(), site_cookie(settings).encode())


def site_cookie(settings: AuthSettings) -> str:
    """The cookie of one site alone."""
    return cookie_name(settings, stem="ostiary-site")


def carried(authorization: Sequence[bytes], cookies: Sequence[bytes], names: Names) -> bytes | None:
    """The token of a request with these header values, None if it carries none of ours; `ILLEGIBLE` is unknown.

    A bearer token of ours (a session's or a program's) goes before the session's cookie, and that before the site's.
    Other credentials in `Authorization` are the site's own business. Each kind counts in its own place alone: a
    program's token in a cookie would be sent by every page that a person opens.
    """
    found = bearer(authorization)
    if found is None:
        found = _kept(cookies, names.session, _SESSION)
    if found is None and names.site:
        found = _kept(cookies, names.site, _SITE)
    return found


def bearer(authorization: Sequence[bytes]) -> bytes | None:
    """The bearer token of ours, if there is one; with a second `Authorization` beside it nobody knows which counts."""
    for value in authorization:
        scheme, _, token = value.partition(b" ")
        token = token.strip()
        if scheme.lower() == b"bearer" and token.startswith((_SESSION, _PERSONAL)):
            return token if len(authorization) == 1 else ILLEGIBLE
    return None


def _kept(cookies: Sequence[bytes], name: bytes, kind: bytes) -> bytes | None:
    value = sole(cookies, name)
    return value if value is None or value.startswith(kind) else ILLEGIBLE
