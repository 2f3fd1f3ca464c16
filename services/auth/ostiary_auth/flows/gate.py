"""May this request to a protected site pass? The site's first matching rule says what is asked; access decides."""

from dataclasses import dataclass

from ostiary_auth.flows import resolve_session
from ostiary_auth.flows.resolve_session import Accepts
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Asks, Decision, Requirement, decide, refuse_address, signed_in
from ostiary_shared.identity import Identity, Presented
from ostiary_shared.networks import Address
from ostiary_shared.site_address import (
    objection_to_host,
    objection_to_method,
    objection_to_uri,
    without_default_port,
)
from ostiary_shared.site_rules import AskedOf, Door, asked_by, door_at
from ostiary_shared.store import sites

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a protected site, in the proxy's words. `address` is the visitor's, None where it is not told."""

    method: str
    scheme: str
    host: str
    uri: str
    address: Address | None = None

    @property
    def url(self) -> str:
        """The whole address as the visitor wanted it."""
        scheme = _SCHEMES.get(self.scheme.lower(), self.scheme)
        return f"{scheme}://{without_default_port(self.host.lower(), scheme)}{self.uri}"


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision, and who passes: nobody in particular where anyone may and no session lives."""

    decision: Decision
    asked: Asked
    audience: str
    identity: Identity | None = None


async def judge(work: AuthWork, asked: Asked, token: str | None) -> Judged:
    """Whether the request may pass with this session token. Never raises for what a client sent: it refuses."""
    if objection := objection_to(asked):
        return Judged(refuse_address(objection), asked, "")
    presented = await resolve_session.resolve(work, token, Accepts(audience_of(asked), machines=True))
    return await rule_on(work, asked, presented)


async def rule_on(work: AuthWork, asked: Asked, presented: Presented) -> Judged:
    """The same for a session that was found already; asking leaves no trace on it."""
    if objection := objection_to(asked):
        return Judged(refuse_address(objection), asked, "")
    audience = audience_of(asked)
    door = await _door(work, audience)
    if door is None:
        presented = Presented(presented.carried)  # a host that a stranger made up must not fill anybody's record
    decision = decide(presented, demanded_of(asked, door), work.now)
    return Judged(decision, asked, audience, signed_in(presented, work.now))


async def _door(work: AuthWork, audience: str) -> Door | None:
    """The site, from memory where that may be relied on: strangers without end then cost no query at all."""
    known = work.tools.sites.now()
    if known is not None:
        return door_at(known, audience)
    found = await sites.with_rules(work.session, audience)
    return Door(found[0].name, found[0].host, found[1]) if found else None


def audience_of(asked: Asked) -> str:
    """The `host[:port]` that a canonical request is for, as rules and assertions name it."""
    return without_default_port(asked.host.lower(), _SCHEMES[asked.scheme.lower()])


def demanded_of(asked: Asked, door: Door | None) -> Requirement:
    """What a site asks for a canonical request; `door` is None where nobody has set one up."""
    if door is None:
        audience = audience_of(asked)
        return Requirement(Asks.NOWHERE, audience, source=f"no site is set up for {audience}")
    return asked_by(door, AskedOf(asked.uri.partition("?")[0], asked.method, asked.address))


async def is_guarded(work: AuthWork, host: str) -> bool:
    """Whether `host[:port]` (lower case) is a site of ours, so that a visitor may be sent back there."""
    return objection_to_host(host) is None and await sites.at(work.session, host) is not None


def objection_to(asked: Asked) -> str | None:
    """What is not canonical about a request, in words; None when nothing is."""
    if asked.scheme.lower() not in _SCHEMES:
        return "the scheme is neither http nor https"
    # Case means nothing in a host (RFC 3986, 3.2.2) and browsers fold it; everything else is taken as written.
    host = objection_to_host(asked.host.lower()) if asked.host.isascii() else "the host is not ASCII"
    return host or objection_to_method(asked.method) or objection_to_uri(asked.uri)
