"""uvicorn's HTTP protocol with the limits it lacks: how long and how large each part of a request may be, and how many.

A client that sends a byte now and then, or never reads its answer, would hold a connection for ever
(Kludex/uvicorn#157). This leans on uvicorn's internals: its minor version is pinned for that reason.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ostiary_shared.crowd import Crowd

HEADER_SECONDS = 5.0
HEADER_BYTES = 32 * 1024
HEADER_LINES = 100
URL_BYTES = 8 * 1024
BODY_BYTES = 256 * 1024  # Quart refuses more than 64 KiB, but from 0.23 on keeps chunks without end until it does
AROUND_BYTES = 1024 * 1024  # what stands around the chunks of a body and behind the last
BODY_SECONDS = 12.0  # Quart answers 408 after 10; this ends a body that nobody wanted to read
UNREAD_SECONDS = 30.0
IDLE_SECONDS = 75.0  # longer than the 15 s for which aiohttp keeps idle connections, so that the client closes first
PIPELINED = 16
ANSWERS = {
    b"400 Bad Request": b"Too many requests at once.",
    b"408 Request Timeout": b"The headers took too long.",
    b"413 Content Too Large": b"Please send less.",
    b"414 URI Too Long": b"The address is too long.",
    b"431 Request Header Fields Too Large": b"The headers are too large.",
}
# Some bytes and whose → the whole response to them, if they are one question whose answer is at hand.
AtOnce = Callable[[bytes, str | None], bytes | None]


class Guarded(HttpToolsProtocol):
    """Ends what is slow (408 for headers), refuses what is too large (414, 431), and is one of a bounded crowd.

    What can be answered at once is, without a word to the app.
    """

    def __init__(self, *args: Any, crowd: Crowd[Any], at_once: AtOnce | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.crowd = crowd
        self.at_once = at_once
        self.answered_at = 0.0  # when it was answered without the app, if that was the last that happened
        self.deadline: asyncio.TimerHandle | None = None
        self.in_head = False
        self.unfinished = 0  # bytes of a header block that is still arriving
        self.arriving = 0  # the same with what has just come, at most
        self.body_bytes = self.sent_bytes = 0  # of a body, without and with what stands around it
        self.refusal = b""
        # Since when: a body arrives, an answer is not read, the connection is to be closed.
        self.body_since = self.unread_since = self.leaving_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()
        self.crowd.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.leave(self)
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.at_once is not None and self._rests():
            answer = self.at_once(data, self.client[0] if self.client else None)
            if answer is not None:
                self._answer(answer)
                return
        self.answered_at = 0.0
        self.arriving = self.unfinished + len(data)
        super().data_received(data)
        if self.in_head or self._rests():  # an empty line is no question, but has ended uvicorn's own timer
            self._arm()  # only now: a head that came whole needs no timer
        if self.body_since:
            self.sent_bytes += len(data)
            if self.sent_bytes - self.body_bytes > AROUND_BYTES:
                self.cut()
        if self.deadline is None:
            return
        self.unfinished += len(data)
        if self.unfinished > HEADER_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head, self.body_bytes = True, 0

    def on_headers_complete(self) -> None:
        self.in_head = False
        self._disarm()
        self.refusal = self._too_much()
        if self.refusal:
            raise ValueError  # the parser stops here and asks for a 400
        super().on_headers_complete()
        # What follows a body in chunks is no header, though the parser calls it so (RFC 9110, 6.5.1): a client would
        # add an X-Forwarded-For to what its proxy has said.
        self.headers, self.sent_bytes = [], 0
        if self.crowd.parting and self.cycle is not None:
            self.cycle.keep_alive = False  # uvicorn says so with the answer, and does it
        self.body_since = time.monotonic()

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.body_bytes > BODY_BYTES and not self.cycle.response_complete:  # what comes after an answer is not kept
            self.refusal = b"413 Content Too Large"
            raise ValueError
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.body_since = 0.0
        super().on_message_complete()
        if not self.cycle.response_complete:
            self.crowd.busy(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:  # else another question waits already
            self.crowd.idle(self)

    def pause_writing(self) -> None:
        self.unread_since = time.monotonic()
        self.crowd.idle(self)
        super().pause_writing()

    def resume_writing(self) -> None:
        self.unread_since = 0.0
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._disarm()
        if self.refusal:
            self._refuse(self.refusal)
        else:
            super().send_400_response(msg)

    def cut(self) -> None:
        """End it now; what was not sent yet never will be."""
        self.transport.abort()

    def grow_impatient(self, now: float) -> None:
        """Cut off a body that drips, an answer that nobody reads, a goodbye that nobody hears."""
        if self.transport.is_closing() and not self.leaving_since:
            self.leaving_since = now
        if self.answered_at and now - self.answered_at > IDLE_SECONDS:
            self.transport.close()
        for since, patience in (
            (self.body_since, BODY_SECONDS),
            (self.unread_since, UNREAD_SECONDS),
            (self.leaving_since, UNREAD_SECONDS),
        ):
            if since and now - since > patience:
                self.cut()
                return

    def _rests(self) -> bool:
        """Whether all that was asked is answered, and the next question may be."""
        cycle: Any = self.cycle  # None until the first question
        working = cycle is not None and not cycle.response_complete
        return not (working or self.in_head or self.body_since or self.unread_since or self.crowd.parting)

    def _answer(self, answer: bytes) -> None:
        self._disarm()
        self._unset_keepalive_if_required()  # from now on the sweep looks at the clock: a timer a question costs more
        self.answered_at = time.monotonic()
        self.transport.write(answer)
        self.crowd.idle(self)

    def _too_much(self) -> bytes:
        if len(self.url) > URL_BYTES:
            return b"414 URI Too Long"
        if len(self.headers) > HEADER_LINES or (self.arriving > HEADER_BYTES and self._size() > HEADER_BYTES):
            return b"431 Request Header Fields Too Large"
        return b"400 Bad Request" if len(self.pipeline) >= PIPELINED else b""

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _arm(self) -> None:
        if self.deadline is None:
            self.unfinished = 0
            self.deadline = self.loop.call_later(HEADER_SECONDS, self._late)

    def _disarm(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None
        self.unfinished = 0

    def _late(self) -> None:
        """A browser's spare connection, on which nothing was said yet, is closed without a word."""
        if self.unfinished:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        self._disarm()
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        ours = self.body_bytes > BODY_BYTES and not cycle.response_started and not self.pipeline
        if ours:
            cycle.disconnected = True  # the app need say nothing more
        if ours or cycle is None or cycle.response_complete:  # else it would be taken for another question's answer
            text = ANSWERS[status]
            headers = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close" % len(text)
            self.transport.write(b"HTTP/1.1 %s\r\n%s\r\n\r\n%s" % (status, headers, text))
        self.transport.close()
