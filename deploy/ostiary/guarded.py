"""uvicorn's HTTP protocol with the two limits it lacks: how long and how large a block of headers may be.

A client that sends its headers a byte at a time would hold a connection for ever (Kludex/uvicorn#157). Slow bodies are
Quart's business (BODY_TIMEOUT). This leans on uvicorn's internals: its minor version is pinned for that reason.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 5.0
HEADER_BYTES = 32 * 1024
ANSWERS = {
    b"408 Request Timeout": b"The headers took too long.",
    b"431 Request Header Fields Too Large": b"The headers are too large.",
}


class Guarded(HttpToolsProtocol):
    """Cuts slow headers after 5 s (408) and refuses more than 32 kB of them (431)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline: asyncio.TimerHandle | None = None
        self.in_head = False
        self.unfinished = 0  # bytes of a header block that is still arriving
        self.arriving = 0  # the same with what has just come, at most
        self.too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.arriving = self.unfinished + len(data)
        super().data_received(data)
        if self.in_head:
            self._arm()  # only now: a head that came whole needs no timer
        if self.deadline is None:
            return
        self.unfinished += len(data)
        if self.unfinished > HEADER_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = True

    def on_headers_complete(self) -> None:
        self.in_head = False
        self._disarm()
        if (
            self.arriving > HEADER_BYTES
            and len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEADER_BYTES
        ):
            self.too_large = True
            raise ValueError  # the parser stops here and asks for a 400
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._disarm()
        if self.too_large:
            self._refuse(b"431 Request Header Fields Too Large")
        else:
            super().send_400_response(msg)

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
        text = ANSWERS[status]
        headers = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close" % len(text)
        self.transport.write(b"HTTP/1.1 %s\r\n%s\r\n\r\n%s" % (status, headers, text))
        self.transport.close()
