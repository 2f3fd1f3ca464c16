"""A request as the quick doors read it: the few headers that an answer may depend on, and the rest for the app."""

from collections.abc import Iterable
from dataclasses import dataclass, field

GATE, GATE_NGINX, SESSION_JSON = b"/gate", b"/gate/nginx", b"/api/v1/session"
DOORS = frozenset({GATE, GATE_NGINX, SESSION_JSON})
Headers = list[tuple[bytes, bytes]]

# What the proxy says of the request to its site.
_TOLD = {
    b"x-forwarded-method": "method",
    b"x-forwarded-proto": "proto",
    b"x-forwarded-host": "host",
    b"x-forwarded-uri": "uri",
}
# A refusal may differ by these, and by nothing else that a stranger sends (a test watches which headers the app reads).
MANNER = frozenset(
    {
        b"accept", b"host", b"origin", b"purpose", b"referer", b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site",
        b"sec-fetch-user", b"sec-purpose", b"upgrade", b"x-requested-with",
    }
)  # fmt: skip


@dataclass(slots=True)
class Ask:
    """One question. `odd` is one that only the app can read: a header that counts is there twice."""

    door: bytes
    headers: Headers
    trusted: bool
    peer: str | None = None
    method: bytes = b""
    proto: bytes = b""
    host: bytes = b""
    uri: bytes = b""
    forwarded_for: bytes | None = None
    authorization: list[bytes] = field(default_factory=list)
    cookies: list[bytes] = field(default_factory=list)
    manner: list[tuple[bytes, bytes]] = field(default_factory=list)
    odd: bool = False


def read(door: bytes, headers: Headers, *, trusted: bool, peer: str | None) -> Ask:
    """The question in a request; header names come in lower case."""
    ask = Ask(door, headers, trusted, peer)
    for name, value in headers:
        if name == b"cookie":
            ask.cookies.append(value)
        elif name == b"authorization":
            ask.authorization.append(value)
        elif name in _TOLD:
            slot = _TOLD[name]
            ask.odd = ask.odd or bool(getattr(ask, slot))
            setattr(ask, slot, value)
        elif name == b"x-forwarded-for":
            ask.forwarded_for = value if ask.forwarded_for is None else b",".join((ask.forwarded_for, value))
        elif name in MANNER:
            ask.manner.append((name, value))
    return ask


def lowered(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The same headers with names in lower case."""
    return [(name.lower(), value) for name, value in headers]
