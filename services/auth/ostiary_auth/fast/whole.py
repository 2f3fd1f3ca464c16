"""Questions that come in one piece, as nearly all do: read by one parser for all connections, and answered from memory.

A browser asks for the same page again, a program for the same address: such a question has the very bytes of one that
was read before, but for the id that proxies give each, and is not read twice.
"""

import time

import httptools

from ostiary_auth.fast.ask import DOORS, Ask, Headers, Trusts
from ostiary_auth.fast.keeper import Keeper, Known

LONGEST = 16 * 1024
MOST_HEADERS = 100
# Of what is known by its bytes, each half.
MOST_KNOWN, LONGEST_KNOWN = 5_000, 2_000
_BEGINNINGS = tuple(b"GET %b HTTP/1.1\r\n" % door for door in DOORS)
_END = b"\r\n\r\n"
_ID = b"\r\nX-Request-Id: "


class Whole:
    """What a connection has just brought → the answer, where it is at hand. Everything odd is left to others."""

    def __init__(self, keeper: Keeper, trusts: Trusts) -> None:
        self._keeper = keeper
        self._trusts = trusts
        self._young: dict[bytes, Known] = {}
        self._old: dict[bytes, Known] = {}
        self._version = -1
        self._url, self._complete = b"", False
        self._headers: Headers = []
        self._parser = httptools.HttpRequestParser(self)

    def to_stranger(self, data: bytes, peer: str | None) -> bytes | None:
        """The response to somebody at this address, who may be a proxy of ours or not; None where there is none."""
        answer = self.answer(data, peer, trusted=self._trusts(peer))
        return answer if isinstance(answer, bytes) else None

    def answer(self, data: bytes, peer: str | None, *, trusted: bool) -> bytes | Ask | None:
        """The response to one whole question and nothing else; the question, if it is one that is not answered at once.

        None if it is anything else.
        """
        if not data.startswith(_BEGINNINGS):
            return None
        keeper, now = self._keeper, time.monotonic()
        if self._version != keeper.version:
            self._version, self._young, self._old = keeper.version, {}, {}
        bare = _without_id(data)
        known = self._young.get(bare) or self._old.get(bare)
        if known is not None and (trusted or known[1] is None):  # who asks for a session need not be a proxy
            answer = keeper.hit(known, now)
            if answer is not None:
                return answer.wire
        ask = self._read(data, peer, trusted=trusted)
        if ask is None:
            return None
        answer = keeper.at_once(ask, now)
        if ask.known is not None and len(bare) <= LONGEST_KNOWN:
            self._keep(bare, ask.known)
        return answer.wire if answer is not None else ask

    def on_url(self, url: bytes) -> None:
        """The question's address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._headers.append((name, value))

    def on_message_complete(self) -> None:
        """It ends."""
        self._complete = True

    def _read(self, data: bytes, peer: str | None, *, trusted: bool) -> Ask | None:
        if len(data) > LONGEST or data.find(_END) != len(data) - len(_END):
            return None
        self._url, self._headers, self._complete = b"", [], False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._complete = False
        if not self._complete or not self._parser.should_keep_alive():
            self._parser = httptools.HttpRequestParser(self)  # this one may be in the middle of something
            return None
        if len(self._headers) > MOST_HEADERS:
            return None
        ask = Ask(self._url, self._headers, trusted=trusted, peer=peer)
        return ask if len(ask.hosts) == 1 else None

    def _keep(self, bare: bytes, known: Known) -> None:
        if len(self._young) >= MOST_KNOWN:
            self._old, self._young = self._young, {}
        self._young[bare] = known


def _without_id(data: bytes) -> bytes:
    """The same without the value of the request's id, upon which no answer depends."""
    start = data.find(_ID) + len(_ID)
    if start < len(_ID):
        return data
    end = data.find(b"\r", start)
    # Letters, digits and hyphens alone are read alike whatever they are.
    return data[:start] + data[end:] if data[start:end].replace(b"-", b"").isalnum() else data
