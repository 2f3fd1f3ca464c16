"""Questions that come in one piece, as nearly all do: read by one parser for all connections, and answered from memory.

Much is asked again, by the same person or by others: the very bytes that were read before, but for the token and for
the id that a proxy gives each request. Such a question is not read twice.
"""

import time

import httptools

from ostiary_auth.fast.answers import ALLOWED, NOBODY, Answer
from ostiary_auth.fast.ask import DOORS, Ask, Headers, Trusts
from ostiary_auth.fast.halves import Halves
from ostiary_auth.fast.keeper import MOST_FORMS, Asked, Keeper

LONGEST = 16 * 1024
MOST_HEADERS = 100
LONGEST_FORM = 2_000
_BEGINNINGS = tuple(b"GET %b HTTP/1.1\r\n" % door for door in DOORS)
_END = b"\r\n\r\n"
_ID = b"\r\nX-Request-Id: "
# How a token of ours begins in a cookie or in Authorization; 55 letters, digits, hyphens or underscores follow.
_MARKS = tuple((mark, len(mark), len(mark) + 55) for mark in (b"=os_", b"=oh_", b" osp_", b" os_"))
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Whole:
    """What a connection has just brought → the answer, where it is at hand. Everything odd is left to others."""

    def __init__(self, keeper: Keeper, trusts: Trusts) -> None:
        self._keeper = keeper
        self._trusts = trusts
        # Strangers push out no form that somebody known has used.
        self._of_known, self._of_others = keeper.known_forms, keeper.other_forms
        self._seen: Halves[int, int] = Halves(MOST_FORMS)
        self._url, self._complete = b"", False
        self._headers: Headers = []
        self._parser = httptools.HttpRequestParser(self)

    def to_stranger(self, data: bytes, peer: str | None) -> bytes | None:
        """The response to somebody at this address, who may be a proxy of ours or not; None where there is none."""
        answer = self.answer(data, time.monotonic(), peer, trusted=self._trusts(peer))
        return answer if isinstance(answer, bytes) else None

    def answer(self, data: bytes, now: float, peer: str | None, *, trusted: bool) -> bytes | Ask | None:
        """The response to one whole question and nothing else; the question, if it is one that is not answered at once.

        None if it is anything else. `now` is of time.monotonic, when it had come.
        """
        if len(data) > LONGEST:
            return None
        keeper = self._keeper
        form, token = _parted(data)
        asked: Asked | None = self._of_known[form] or self._of_others[form]
        if asked is not None and (trusted or asked[1] is None):
            question, place = asked
            answer = keeper.hit(question.door, place, token, now)
            # Whoever is remembered carries a token of ours; what anybody else carries may be anything.
            if answer is None and (token is None or not token.translate(None, _PLAIN)):
                answer = keeper.repeated(asked, token, now)
            if answer is not None:
                return answer.wire
        ask = self._read(data, peer, trusted=trusted) if data.startswith(_BEGINNINGS) else None
        if ask is None:
            return None
        answer = keeper.at_once(ask, now)
        if answer is None:
            return ask
        # A token that is there once was taken from where it counts: what else is asked does not depend on it.
        if ask.carried == token and (token is None or data.count(token) == 1):
            self._learn(form, ask, answer)
        return answer.wire

    def on_url(self, url: bytes) -> None:
        """The question's address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._headers.append((name, value))

    def on_message_complete(self) -> None:
        """It ends; only now does the parser know whether another may follow."""
        self._complete = self._parser.should_keep_alive()

    def _read(self, data: bytes, peer: str | None, *, trusted: bool) -> Ask | None:
        if data.find(_END) != len(data) - len(_END):
            return None
        self._url, self._headers, self._complete = b"", [], False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._complete = False
        if not self._complete:
            self._parser = httptools.HttpRequestParser(self)  # this one may be in the middle of something
            return None
        if len(self._headers) > MOST_HEADERS:
            return None
        ask = Ask(self._url, self._headers, trusted=trusted, peer=peer)
        return ask if len(ask.hosts) == 1 else None

    def _learn(self, form: bytes, ask: Ask, answer: Answer) -> None:
        """Remember a form that comes the second time: many never do."""
        mark = hash(form)
        if self._seen[mark] is None:
            self._seen.keep(mark, len(form))
            return
        asked = self._keeper.asked(ask)
        if asked is not None and len(form) <= LONGEST_FORM:
            known = answer.outcome == ALLOWED and answer is not NOBODY
            (self._of_known if known else self._of_others).keep(form, asked)


def _parted(data: bytes) -> tuple[bytes, bytes | None]:
    """A question's form and the token of ours that it seems to carry: the form is the rest, but for its id's value.

    Where something was taken out still shows. So questions of one form are read alike, if what was taken out is plain.
    """
    start = data.find(_ID)
    if start >= 0:
        start += len(_ID)
        end = data.find(b"\r", start)
        if data[start:end].replace(b"-", b"").isalnum():
            data = data[:start] + data[end:]
    for mark, begin, end in _MARKS:
        start = data.find(mark)
        if start >= 0:
            return data[: start + begin] + data[start + end :], data[start + 1 : start + end]
    return data, None
