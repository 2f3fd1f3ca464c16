"""How a request came: as a page that a person waits for, or from a script, a frame, a guess of the browser. Pure.

Only a page may be answered by a redirect. A script would follow it to another origin, and fail without a word.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ostiary_auth.flows.gate import Asked
from ostiary_auth.flows.place import Place
from ostiary_auth.settings import AuthSettings
from ostiary_shared.site_address import objection_to_uri
from ostiary_shared.web.redirects import to_sign_in

FRONT_PAGE = "/"
FOUND, SEE_OTHER = 302, 303
# The sign-in page takes no longer one, and encoded it may be three times as long.
MAX_NEXT = 2000


@dataclass(frozen=True, slots=True)
class Manner:
    """The method, and the few headers that tell who made the request; empty where there is none."""

    method: str
    mode: str = ""
    dest: str = ""
    purpose: str = ""
    accept: str = ""
    upgrade: str = ""
    requested_with: str = ""
    referer: str = ""

    @classmethod
    def read(cls, method: str, header: Callable[[str], str]) -> Self:
        """The manner of a request whose headers `header` gives by name."""
        return cls(
            method,
            header("Sec-Fetch-Mode").lower(),
            header("Sec-Fetch-Dest").lower(),
            f"{header('Sec-Purpose')} {header('Purpose')}".lower(),
            header("Accept").lower(),
            header("Upgrade").lower(),
            header("X-Requested-With"),
            header("Referer"),
        )

    @property
    def redirect(self) -> int:
        """302 for a page, 303 for a form that was sent (its page is asked for anew), 0 where no redirect will do.

        A frame cannot show our pages, and what is fetched ahead nobody waits for.
        """
        if "prefetch" in self.purpose or self.upgrade == "websocket" or self.requested_with:
            return 0
        if not self.mode:  # a browser from before 2023, or a program: only the former asks for HTML
            html = "text/html" in self.accept and "json" not in self.accept and "event-stream" not in self.accept
            return FOUND if html and self.method == "GET" else 0
        if self.mode != "navigate" or self.dest not in {"", "document"}:
            return 0
        if self.method == "GET":
            return FOUND
        return SEE_OTHER if self.method == "POST" and self.dest == "document" else 0

    def way_back(self, place: Place, uri: str) -> str:
        """Where at the site to come back to: the page that was wanted, else the one the request came from."""
        return uri if self.redirect == FOUND else page_before(place, self.referer)


def page_before(place: Place, referer: str) -> str:
    """The path of the page that a request of this site came from; its front page where that is not told."""
    path = referer.removeprefix(place.origin) if referer.startswith(f"{place.origin}/") else FRONT_PAGE
    return FRONT_PAGE if objection_to_uri(path) else path


def sign_in_at(settings: AuthSettings, place: Place, path: str, *, again: bool = False) -> str:
    """Where to sign in and to come back from to this path: ours, or the site's own door where it cannot see us."""
    if place.has_own_door(settings):
        return place.sign_in(path if len(path) <= MAX_NEXT else FRONT_PAGE, again=again)
    wanted = f"{place.origin}{path}"
    return to_sign_in(f"{settings.public_url}/login", wanted if len(wanted) <= MAX_NEXT else "", again=again)


def sign_in_for(settings: AuthSettings, asked: Asked, manner: Manner, *, again: bool = False) -> str:
    """The same for a request that the gate has judged."""
    place = Place.told(asked.scheme, asked.host)
    if place is None:
        return f"{settings.public_url}/login"
    return sign_in_at(settings, place, manner.way_back(place, asked.uri), again=again)
