"""Addresses and networks as people write them. What cannot be meant is refused in words, never repaired."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_WRITTEN = re.compile(r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?")


def address_of(text: str) -> Address | None:
    """The address that is meant, or None. One that is mapped into IPv6 counts as what it is, as at the gate."""
    try:
        found = ip_address(text) if _WRITTEN.fullmatch(text) else None
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def networks_of(words: Iterable[str]) -> tuple[Network, ...]:
    """The networks, a single address being one of its own, each once. Raises ValueError that says what is wrong."""
    return tuple(dict.fromkeys(_network(word) for word in words))


def _network(word: str) -> Network:
    try:
        if not _WRITTEN.fullmatch(word):
            raise ValueError  # netmasks and zones are read by `ip_network`, and not always as they are meant
        found = ip_network(word, strict=False)
    except ValueError:
        message = f"must hold networks such as 10.0.0.0/8 or 2001:db8::/32, or single addresses; {word[:50]} is neither"
        raise ValueError(message) from None
    if str(found.network_address) != str(ip_address(word.partition("/")[0])):
        message = f"must hold networks: {word} is an address within {found}"
        raise ValueError(message)
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        message = f"must hold IPv4 addresses as such: {word} is written as IPv6"
        raise ValueError(message)
    return found


_MAPPED = IPv6Network("::ffff:0:0/96")
