"""Where somebody goes after signing in: a page of ours, or a registered site that sees our cookie."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from ostiary_auth.tools import AuthWork
from ostiary_shared.store import sites

HOME = "/account"


@dataclass(frozen=True, slots=True)
class Onward:
    """The way on. `origin` is set for another site; `blind` names a site that would not see the sign-in."""

    url: str = HOME
    origin: str = ""
    blind: str = ""


async def to_site(work: AuthWork, wanted: str, host: str) -> Onward:
    """The way to `wanted` at `host[:port]`, if that is a registered site; home otherwise."""
    if await sites.at(work.session, host) is None:
        return Onward()
    # Sent to a site that cannot see the cookie, the visitor would come straight back to us, without end.
    if not _sees_cookie(work, host):
        return Onward(blind=host)
    parts = urlsplit(wanted)
    return Onward(wanted, f"{parts.scheme}://{parts.netloc}")


def _sees_cookie(work: AuthWork, host: str) -> bool:
    settings = work.tools.settings
    name, ours = urlsplit(f"//{host}").hostname or "", urlsplit(settings.public_url).hostname
    domain = settings.cookie_domain
    return name == domain or name.endswith(f".{domain}") if domain else name == ours
