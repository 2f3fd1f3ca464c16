"""Handing a sign-in over to a site that does not see our cookie: a code for a minute, and a token for that host alone.

The code is worth nothing without the browser that set out from the site: it holds the state that the code is bound to.
Otherwise somebody could be signed in as somebody else by a link (login CSRF), or a code be used by who read it.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from ostiary_auth.flows.onward import Onward
from ostiary_auth.flows.place import Place
from ostiary_auth.tools import AuthWork
from ostiary_shared.errors import Conflict
from ostiary_shared.identity import Identity
from ostiary_shared.site_address import OURS
from ostiary_shared.store import one_time_tokens, sessions, site_sessions, sites, users
from ostiary_shared.store.one_time_tokens import Issue, Purpose
from ostiary_shared.tokens import ON_ITS_WAY, ONE_TIME, SITE, digest, genuine, mint

PATH = "/handover"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which site is to be entered, at which path of it, by the browser that holds which state (its digest)."""

    place: Place
    path: str
    state: str

    def address(self) -> str:
        """The page of ours that hands over, once somebody is signed in."""
        return f"{PATH}?{urlencode({'site': self.place.origin, 'path': self.path, 'state': self.state})}"

    @classmethod
    def read(cls, address: str) -> "Wanted | None":
        """What such an address asks for; None when it asks for nothing that could be."""
        parts = urlsplit(address)
        given = {name: values[0] for name, values in parse_qs(parts.query).items() if len(values) == 1}
        scheme, _, host = given.get("site", "").partition("://")
        place = Place.told(scheme, host)
        if parts.path != PATH or place is None or not {"path", "state"} <= given.keys():
            return None
        return cls(place, given["path"], given["state"])


@dataclass(frozen=True, slots=True)
class Entered:
    """In: the token that counts at this host alone, and where to go on."""

    token: str
    path: str


async def guards(work: AuthWork, place: Place) -> bool:
    """Whether this is a registered site."""
    return await sites.at(work.session, place.host) is not None


def set_out(work: AuthWork, state: str | None) -> str:
    """The state for a browser on its way; the one it holds already, so that two tabs do not stop each other."""
    key = work.tools.site_key
    return state if state and genuine(state, ON_ITS_WAY, key) else mint(ON_ITS_WAY, key).value


def mark(state: str) -> str:
    """What of a state may be seen in an address."""
    return urlsafe_b64encode(digest(state)).rstrip(b"=").decode()


async def way_on(work: AuthWork, address: str) -> Onward:
    """Where a `PATH` address leads after signing in; home when it leads nowhere."""
    wanted = Wanted.read(address)
    if wanted is None or not await _may_enter(work, wanted.place):
        return Onward()
    return Onward(address, wanted.place.origin)


async def hand_over(work: AuthWork, who: Identity, carried: str, wanted: Wanted) -> str | None:
    """The site's address to go to, with a one-time code; None when there is no such site.

    Raises Conflict for a token that was replaced a moment ago: what it gets for a site would live on, and it may be in
    the wrong hands. Who replaces it holds the person, too, and ends the codes that there are by then.
    """
    if not await _may_enter(work, wanted.place):
        return None
    await users.hold_alone(work.session, who.id)
    if not await sessions.is_current(work.session, who.session.id, digest(carried)):
        raise Conflict("Your sign-in was renewed in this very moment. Please open the site again.")
    code = mint(ONE_TIME)
    subject = {"session": str(who.session.id), "path": wanted.path, **_binding(wanted.place, wanted.state)}
    issued = Issue(Purpose.HANDOVER, code.digest, user_id=who.id, subject=subject)
    await one_time_tokens.issue(work.session, issued, work.now)
    return f"{wanted.place.origin}{OURS}enter?code={code.value}"


async def enter(work: AuthWork, place: Place, code: str, state: str | None) -> Entered | None:
    """Use a code up, at the site it was made for and in the browser that set out. None when it opens nothing."""
    if state is None:
        return None
    bound = _binding(place, mark(state))
    used = await one_time_tokens.consume(work.session, Purpose.HANDOVER, digest(code), work.now, bound)
    if used is None:
        return None
    if used.user_id is None or await users.hold_alone(work.session, used.user_id) is None:
        return None
    token, session_id = mint(SITE, work.tools.site_key), UUID(used.subject["session"])
    if not await site_sessions.begin(work.session, session_id, place.host, token.digest, work.now):
        return None
    return Entered(token.value, used.subject["path"])


async def _may_enter(work: AuthWork, place: Place) -> bool:
    return place.has_own_door(work.tools.settings) and await guards(work, place)


def _binding(place: Place, state: str) -> dict[str, str]:
    return {"host": place.host, "state": state}
