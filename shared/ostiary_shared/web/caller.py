"""Where a request came from: the address behind trusted proxies, the scheme, and an id that runs through all logs."""

from ipaddress import IPv6Address, ip_address, ip_network

from quart import g, request

from ostiary_shared import request_id as ids
from ostiary_shared.networks import Address, Network
from ostiary_shared.web.kit import kit
from ostiary_shared.work import Caller

# What stands where a peer's address would, of one that came by a unix socket.
UNIX = "unix"


async def caller() -> Caller:
    """The caller of this request, with the person if one is signed in."""
    identity, client = g.get("identity"), address()
    return Caller(
        ip=str(client) if client else None,
        user_agent=request.headers.get("User-Agent", "")[:400],
        request_id=request_id(),
        user_id=identity.id if identity else None,
        email=identity.email if identity else "",
        scopes=identity.scopes if identity else None,
        token_id=identity.token_id if identity else None,
    )


def address() -> Address | None:
    """The client's address: the rightmost one that is not a trusted proxy's."""
    if "address" not in g:
        # Some proxies add a line of their own below the client's: all lines count as one list.
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
        g.address = behind(request.remote_addr or "", forwarded, kit().settings.trusted_proxies)
    found: Address | None = g.address
    return found


def behind(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> Address | None:
    """The address behind trusted proxies, of a peer and the `X-Forwarded-For` that it sent. Pure."""
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    found = _parse(peer)
    if peer == UNIX and hops:
        found = _parse(hops.pop())
    while found and hops and _within(found, trusted):
        found = _parse(hops.pop())
    return found


def from_trusted_proxy() -> bool:
    """Whether the peer itself is a trusted proxy, so that its X-Forwarded headers are believed."""
    return is_trusted(request.remote_addr or "", kit().settings.trusted_proxies)


def is_trusted(peer: str, trusted: tuple[Network, ...]) -> bool:
    """Whether a peer's X-Forwarded headers are believed. Who may open our unix socket is a proxy of ours. Pure."""
    found = _parse(peer)
    return peer == UNIX or (found is not None and _within(found, trusted))


def network() -> str:
    """What a rate limit counts by: the IPv4 address, or the /64 that one IPv6 customer has."""
    client = address()
    if isinstance(client, IPv6Address):
        return str(ip_network(f"{client}/64", strict=False))
    return str(client or "unknown")


def request_id() -> str:
    """The id of this request: what web/record.py found or chose."""
    if "request_id" not in g:
        g.request_id = request.scope.get(ids.FIELD) or ids.fresh()
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
