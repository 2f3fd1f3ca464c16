"""A lean HTTP/1.1 client that is no brake: many questions at once on one connection, their answers in order."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence

from ostiary.revocation_check.crowd import Holding
from ostiary.revocation_check.judge import Asked, Judge, Outcome

# What the doors say. Anything else, such as a 503, says nothing about the person.
MEANING = {200: Outcome.ACCEPTED, 302: Outcome.REFUSED, 401: Outcome.REFUSED, 403: Outcome.REFUSED}


class Line(asyncio.Protocol):
    """One connection to one replica. `ask` again only when the last answers are there."""

    def __init__(self, judge: Judge, replica: str, odd: Counter[int]) -> None:
        self._judge = judge
        self._replica = replica
        self._odd = odd
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Holding] = deque()
        self._invoked = 0.0
        self._got = b""
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """What was not answered by now never will be."""
        self._transport = None
        now = time.monotonic()
        for holding in self._waiting:
            self._judge.heard(holding, Asked(self._invoked, now, self._replica, Outcome.UNKNOWN))
        self._waiting.clear()
        self._finish()

    def ask(self, holdings: Sequence[Holding], turn: int) -> "asyncio.Future[None]":
        """Ask about all of them at once; done when all is answered, or the line broke."""
        self._done = asyncio.get_running_loop().create_future()
        self._waiting.extend(holdings)
        self._invoked = time.monotonic()
        if self._transport is None:
            self.connection_lost(None)
        else:
            self._transport.write(b"".join(holding.question(turn) for holding in holdings))
        return self._done

    @property
    def broken(self) -> bool:
        """Whether another line is needed."""
        return self._transport is None

    def hang_up(self) -> None:
        """Wait no longer."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some bytes: parts of answers, or several."""
        self._got += data
        place = 0
        now = time.monotonic()
        while self._waiting:
            end = self._got.find(b"\r\n\r\n", place)
            if end < 0:
                break
            after = end + 4 + _length(self._got[place:end])
            if after > len(self._got):
                break
            status = int(self._got[place + 9 : place + 12])
            outcome = MEANING.get(status, Outcome.UNKNOWN)
            if outcome is Outcome.UNKNOWN:
                self._odd[status] += 1
            said = self._got[end + 4 : after] if outcome is Outcome.REFUSED else b""
            self._judge.heard(self._waiting.popleft(), Asked(self._invoked, now, self._replica, outcome, said))
            place = after
        self._got = self._got[place:]
        if not self._waiting:
            self._finish()

    def _finish(self) -> None:
        if self._done and not self._done.done():
            self._done.set_result(None)


def _length(head: bytes) -> int:
    low = head.lower()
    at = low.find(b"content-length:")
    return int(low[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
