"""Where somebody goes after signing in: a page of ours, or a registered site."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from ostiary_auth.flows.place import Place
from ostiary_auth.tools import AuthWork
from ostiary_shared.store import sites

HOME = "/account"


@dataclass(frozen=True, slots=True)
class Onward:
    """The way on. `origin` is set for another site; `blind` names a site that cannot be told of the sign-in."""

    url: str = HOME
    origin: str = ""
    blind: str = ""


async def to_site(work: AuthWork, wanted: str, host: str) -> Onward:
    """The way to `wanted` at `host[:port]`, if that is a registered site; home otherwise.

    A site that does not see our cookie is entered by its own door: there it gets one of its own, and leads on.
    """
    if await sites.at(work.session, host) is None:
        return Onward()
    parts, settings = urlsplit(wanted), work.tools.settings
    place = Place(parts.scheme, host)
    if settings.shares_cookie_with(place.scheme, place.host):
        return Onward(wanted, f"{parts.scheme}://{parts.netloc}")
    if not place.has_own_door(settings):
        return Onward(blind=host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Onward(place.sign_in(path), place.origin)
