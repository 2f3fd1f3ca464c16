"""Where a request came from: the address behind trusted proxies, the scheme, and an id that runs through all logs."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from quart import g, request

from ostiary_shared.settings import Network
from ostiary_shared.tokens import code
from ostiary_shared.web.kit import kit
from ostiary_shared.work import Caller

Address = IPv4Address | IPv6Address


async def caller() -> Caller:
    """The caller of this request, with the person if one is signed in."""
    identity = g.get("identity")
    return Caller(
        ip=str(address()) if address() else None,
        user_agent=request.headers.get("User-Agent", "")[:400],
        request_id=request_id(),
        user_id=identity.id if identity else None,
        email=identity.email if identity else "",
    )


def address() -> Address | None:
    """The client's address: the rightmost one that is not a trusted proxy's."""
    trusted = kit().settings.trusted_proxies
    peer = _parse(request.remote_addr or "")
    # Some proxies add a line of their own below the client's: all lines count as one list.
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    while peer and hops and _within(peer, trusted):
        peer = _parse(hops.pop())
    return peer


def from_trusted_proxy() -> bool:
    """Whether the peer itself is a trusted proxy, so that its X-Forwarded headers are believed."""
    peer = _parse(request.remote_addr or "")
    return peer is not None and _within(peer, kit().settings.trusted_proxies)


def network() -> str:
    """What a rate limit counts by: the IPv4 address, or the /64 that one IPv6 customer has."""
    client = address()
    if isinstance(client, IPv6Address):
        return str(ip_network(f"{client}/64", strict=False))
    return str(client or "unknown")


def request_id() -> str:
    """The id a trusted proxy gave this request, or a fresh one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if from_trusted_proxy() and re.fullmatch(r"[\w.:-]{8,64}", given) else code(16)
    found: str = g.request_id
    return found


def _parse(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        # A zone (`%eth0`) means something on one machine alone.
        return found.ipv4_mapped or IPv6Address(int(found))
    return found


def _within(client: Address, networks: tuple[Network, ...]) -> bool:
    return any(client in network for network in networks if network.version == client.version)
