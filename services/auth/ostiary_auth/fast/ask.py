"""A request as the quick doors read it: the few headers that an answer may depend on, and the rest for the app."""

from collections.abc import Callable
from typing import NamedTuple

GATE, GATE_NGINX, SESSION_JSON = b"/gate", b"/gate/nginx", b"/api/v1/session"
DOORS = frozenset({GATE, GATE_NGINX, SESSION_JSON})
Headers = list[tuple[bytes, bytes]]
# Whether somebody at this address is a proxy of ours.
Trusts = Callable[[str | None], bool]

# What the proxy says of the request to its site, each once.
_ONCE = {
    b"x-forwarded-method": "method",
    b"x-forwarded-proto": "proto",
    b"x-forwarded-host": "host",
    b"x-forwarded-uri": "uri",
}
_OFTEN = {
    b"cookie": "cookies",
    b"authorization": "authorization",
    b"x-forwarded-for": "forwarded",
    b"host": "hosts",  # our own, which the proxy asks
}
_LISTS = frozenset(_OFTEN.values())
# A refusal may differ by these, and by nothing else that a stranger sends (a test watches which headers the app reads).
MANNER = frozenset(
    {
        b"accept", b"host", b"origin", b"purpose", b"referer", b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site",
        b"sec-fetch-user", b"sec-purpose", b"upgrade", b"x-requested-with",
    }
)  # fmt: skip
# How a header's name was spelled → where its value goes. Lower-casing each name of each request would cost more.
_SPELLED: dict[bytes, str] = {}
_MANNERS: dict[bytes, bytes] = {}
_MOST_SPELLINGS, _LONGEST_NAME = 1_000, 100

PlaceKey = tuple[bytes, bytes, bytes, bytes, tuple[bytes, ...]]


class Question(NamedTuple):
    """All that an answer may depend on, but for whose question it is.

    `place` is method, scheme, host and address, and where the visitor comes from only if some rule asks for that.
    `several`: where two credentials are there, the app may see one in what we do not.
    """

    door: bytes
    place: PlaceKey
    forwarded: bool
    several: bool
    manner: tuple[tuple[bytes, bytes], ...]


class Ask:
    """A request. `odd` is one that only the app can read: a header that counts is there twice."""

    method = proto = host = uri = b""
    cookies: tuple[bytes, ...] = ()
    authorization: tuple[bytes, ...] = ()
    forwarded: tuple[bytes, ...] = ()
    hosts: tuple[bytes, ...] = ()
    odd = False
    carried: bytes | None = None  # the token, once the keeper has looked (`gate.carried`)

    def __init__(self, door: bytes, headers: Headers, *, trusted: bool, peer: str | None) -> None:
        self.door = door
        self.headers = headers
        self.trusted = trusted
        self.peer = peer
        found = self.__dict__
        for name, value in headers:
            slot = _SPELLED.get(name)
            if slot is None:
                slot = _slot(name)
            if not slot:
                continue
            if slot in found:
                self._again(slot, value)
            else:
                found[slot] = (value,) if slot in _LISTS else value

    def question(self, *, by_address: bool) -> Question:
        """What it asks; `by_address` if some rule asks where visitors come from."""
        several = len(self.authorization) + len(self.cookies) > 1
        return Question(self.door, self.where(by_address=by_address), bool(self.forwarded), several, self.manner)

    def where(self, *, by_address: bool) -> PlaceKey:
        """Which place it asks for."""
        return (self.method, self.proto, self.host, self.uri, self.forwarded if by_address else ())

    @property
    def manner(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers by which a refusal may differ."""
        found = []
        for name, value in self.headers:
            lower = _MANNERS.get(name)
            if lower is None:
                lower = _manner(name)
            if lower:
                found.append((lower, value))
        return tuple(found)

    def _again(self, slot: str, value: bytes) -> None:
        if slot in _LISTS:
            setattr(self, slot, (*getattr(self, slot), value))
        else:
            self.odd = True


def lowered(headers: Headers) -> Headers:
    """The same headers with their names in lower case."""
    return [(name.lower(), value) for name, value in headers]


def _slot(name: bytes) -> str:
    """Where the value of a header with this name goes; empty for one that does not count."""
    lower = name.lower()
    slot = _ONCE.get(lower) or _OFTEN.get(lower, "")
    if len(_SPELLED) < _MOST_SPELLINGS and len(name) <= _LONGEST_NAME:
        _SPELLED[name] = slot
    return slot


def _manner(name: bytes) -> bytes:
    """The lower-case name of a header by which a refusal may differ; empty for another."""
    lower = name.lower() if name.lower() in MANNER else b""
    if len(_MANNERS) < _MOST_SPELLINGS and len(name) <= _LONGEST_NAME:
        _MANNERS[name] = lower
    return lower
