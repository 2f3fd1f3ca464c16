"""What a site asks for each address that proxies ask about, worked out once per address while the rules stay."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ostiary_auth.fast.ask import Ask, PlaceKey
from ostiary_auth.flows.gate import Asked, audience_of, demanded_of, objection_to
from ostiary_shared.access import SIGNED_IN, Asks, Requirement
from ostiary_shared.networks import Address
from ostiary_shared.site_rules import Door, door_at

MOST = 20_000
# Bytes of a request that is remembered: strangers may ask about addresses as long as their proxy takes.
LONGEST = 2_000
AddressOf = Callable[[Ask], Address | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A canonical request at a site: what is asked for, and the standings that are known to meet it.

    `fresh` is the longest age of a sign-in in microseconds, 0 for any. `plain` asks for being signed in and no more.
    """

    audience: bytes
    requirement: Requirement
    fresh: int
    open: bool
    plain: bool
    met: set[int] = field(default_factory=set)


class Places:
    """Request → place, as long as the sites are the same. Full, it starts afresh."""

    def __init__(self, address_of: AddressOf) -> None:
        self.address_of = address_of
        self._known: dict[PlaceKey, Place] = {}
        # The place of a request that was asked about before, by its key; asked so often that nothing stands between.
        self.known: Callable[[PlaceKey], Place | None] = self._known.get
        self.watching = False

    def clear(self) -> None:
        """Forget them: the rules have changed, or the standings were numbered anew."""
        self._known.clear()
        self.watching = False

    def find(self, ask: Ask, doors: dict[str, Door]) -> Place | None:
        """The place of a request, to be known from now on; None for an address that is not canonical."""
        self.watching = self.watching or any(door.watches_networks for door in doors.values())
        place, key = place_of(ask, doors, self.address_of), ask.where(by_address=self.watching)
        if place is not None and sum(map(len, (*key[:4], *key[4]))) <= LONGEST:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = place
        return place


def place_of(ask: Ask, doors: dict[str, Door], address_of: AddressOf) -> Place | None:
    """The place, worked out from the rules."""
    try:
        method, scheme, host, uri = (text.decode("latin-1") for text in (ask.method, ask.proto, ask.host, ask.uri))
        asked = Asked(method, scheme, host, uri, address_of(ask))
    except ValueError:
        return None
    if not (method and scheme and host and uri) or objection_to(asked):
        return None
    audience = audience_of(asked)
    requirement = demanded_of(asked, door_at(doors, audience))
    fresh = requirement.fresh.total_seconds() * 1_000_000 if requirement.fresh else 0
    plain = replace(requirement, source="") == SIGNED_IN
    return Place(audience.encode(), requirement, int(fresh), requirement.asks is Asks.ANYONE, plain)
