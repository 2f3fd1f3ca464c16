"""The second quick door: a listener for reverse proxies that knows three addresses and nothing else.

HTTP/1.1 by httptools (llhttp). Answers keep the order of their questions, headers are bounded in size and time, and
whatever is not a plain GET is answered 400 and the connection closed.
"""

import asyncio
import time
from collections import deque
from contextvars import Context
from dataclasses import dataclass, field

import httptools

from ostiary_auth.fast.answers import Answer
from ostiary_auth.fast.asgi import App, in_the_end
from ostiary_auth.fast.ask import DOORS, Ask, Headers, Trusts, lowered
from ostiary_auth.fast.keeper import Keeper
from ostiary_auth.fast.whole import Whole
from ostiary_shared.crowd import Crowd
from ostiary_shared.web.caller import UNIX

MAX_HEAD = 32 * 1024
MAX_WAITING = 64  # questions of one connection whose answers are not there yet
HEAD_SECONDS = 5.0
IDLE_SECONDS = 75.0
UNREAD_SECONDS = 30.0  # so long an answer, or our goodbye, may wait to be read
MOMENT_SECONDS = 0.5  # as exactly as this is it known who was heard last
LAST_SECONDS = 0.1  # for the question of somebody who came in the last moment
BAD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
# Goes between the first line of an answer and its headers.
LAST = b"\r\nconnection: close\r\n"
FAILED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 2\r\n\r\n"

Waiting = deque["bytes | asyncio.Task[bytes]"]


@dataclass(slots=True)
class Hall:
    """What all connections of a listener share. Once it is `parting`, every answer is its connection's last."""

    keeper: Keeper
    whole: Whole
    app: App
    trusts: Trusts
    guests: "Crowd[Guest]" = field(default_factory=Crowd)
    parting: bool = False

    def part(self) -> None:
        """From now on tell everybody with their answer to ask no more here."""
        self.parting = True
        for guest in self.guests.everybody():
            guest.part()

    async def empty(self, seconds: float) -> None:
        """Let everybody go, as soon as they have their answers; after so long, in any case."""
        deadline = time.monotonic() + seconds
        await asyncio.sleep(LAST_SECONDS)
        for guest in self.guests.everybody():
            guest.leave()
        while self.guests and time.monotonic() < deadline:  # noqa: ASYNC110 - as plain as it is rare
            await asyncio.sleep(0.01)


class Guest(asyncio.Protocol):
    """One connection of a proxy."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._keeper = hall.keeper
        self._answer_whole = hall.whole.answer
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._peer = UNIX
        self._trusted = True
        self._encrypted = False
        self._waiting: Waiting = deque()
        self._heard_at = self._now = time.monotonic()
        self._stuck_since = 0.0  # since when they do not read what we say
        self._head = 0  # bytes of a question that is not complete yet
        self._closing = self._last = False
        self._url = b""
        self._headers: Headers = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody comes in."""
        self._transport = transport  # type: ignore[assignment]
        self._encrypted = transport.get_extra_info("sslcontext") is not None
        name = transport.get_extra_info("peername")
        if isinstance(name, tuple):
            self._peer = name[0]
            self._trusted = self._hall.trusts(self._peer)
        self._hall.guests.join(self)
        if self._hall.parting:
            self.part()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Somebody leaves; what they asked is nobody's business any more."""
        self._hall.guests.leave(self)
        self._closing = True
        for answer in self._waiting:
            if isinstance(answer, asyncio.Task):
                answer.cancel()
        self._waiting.clear()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Some bytes: no question, one, several, or a part of one."""
        if self._closing:
            return
        now = self._now = time.monotonic()
        if not (self._head or self._waiting or self._last or self._stuck_since):
            answer = self._answer_whole(data, now, self._peer, trusted=self._trusted)
            if answer is not None:
                if now - self._heard_at > MOMENT_SECONDS:
                    self._heard_at = now
                    self._hall.guests.idle(self)
                if type(answer) is bytes:
                    self._transport.write(answer)  # type: ignore[union-attr]
                elif isinstance(answer, Ask):
                    self._wait_for(answer)
                return
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        """What is no whole question that is answered at once."""
        if not self._head:
            self._heard_at = self._now  # of a question that comes bit by bit, when it began
        self._head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # a WebSocket is judged like any other request; here nothing is upgraded
            self._leave()
        except httptools.HttpParserError:
            self._refuse()
        if self._head > MAX_HEAD:
            self._refuse()

    def on_message_begin(self) -> None:
        """A question begins, maybe in the bytes that ended another."""
        self._head = self._head or 1
        self._url = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """Its address, or a part of that."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:  # noqa: ARG002
        """Nobody sends a body with these questions."""
        self._refuse()

    def on_chunk_header(self) -> None:
        """Nor an empty one in chunks: what stands behind the last would be read like a header."""
        self._refuse()

    def on_message_complete(self) -> None:
        """A question is complete."""
        if self._closing:
            return
        too_large = self._head > MAX_HEAD and sum(map(_size, self._headers)) > MAX_HEAD
        self._head = 0
        parser = self._parser
        too_many = len(self._waiting) >= MAX_WAITING or self._stuck_since
        if too_large or too_many or self._url not in DOORS or parser.get_method() != b"GET":
            self._refuse()
            return
        ask = Ask(self._url, self._headers, trusted=self._trusted, peer=self._peer)
        if len(ask.hosts) != 1 and (ask.hosts or parser.get_http_version() != "1.0"):  # RFC 9112, 3.2
            self._refuse()
            return
        answer = self._keeper.at_once(ask, self._now)
        if answer is not None and not self._waiting:
            self._transport.write(self._wire(answer))  # type: ignore[union-attr]
            self._hall.guests.idle(self)
        elif answer is not None:
            self._waiting.append(self._wire(answer))
        else:
            self._wait_for(ask)
        if self._last or not parser.should_keep_alive():
            self._leave()

    def eof_received(self) -> bool:
        """They have nothing more to ask; what they asked is still answered."""
        self._leave()
        return not self._encrypted  # half a connection of TLS is none

    def pause_writing(self) -> None:
        """They do not read our answers: hear no more questions until they do."""
        self._stuck_since = time.monotonic()
        self._hall.guests.idle(self)
        if self._transport:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """They read again."""
        self._stuck_since = 0.0
        if self._transport:
            self._transport.resume_reading()

    def grow_impatient(self, now: float) -> None:
        """Close a connection that keeps us waiting; cut off one that does not even hear that."""
        if self._transport is None:
            return
        if self._stuck_since and now - self._stuck_since > UNREAD_SECONDS:
            self._transport.abort()
        elif self._transport.is_closing():
            self._stuck_since = self._stuck_since or now
        elif not self._waiting and now - self._heard_at > (HEAD_SECONDS if self._head else IDLE_SECONDS):
            self._transport.close()

    def cut(self) -> None:
        """There are too many, and this one kept us waiting for longest."""
        if self._transport:
            self._transport.abort()

    def part(self) -> None:
        """The listener closes soon: the next answer is the last."""
        self._last = True

    def leave(self) -> None:
        """The listener closes: finish what was asked, hear no more."""
        self._leave()

    def _wire(self, answer: Answer) -> bytes:
        return answer.wire.replace(b"\r\n", LAST, 1) if self._last else answer.wire

    def _wait_for(self, ask: Ask) -> None:
        self._hall.guests.busy(self)
        # Opened while the app starts, the listener has that moment's context: no two requests may share it.
        task = asyncio.get_running_loop().create_task(self._answer(ask), context=Context())
        self._waiting.append(task)
        task.add_done_callback(self._send_what_is_ready)

    async def _answer(self, ask: Ask) -> bytes:
        return self._wire(await in_the_end(ask, self._scope(ask), self._keeper, self._hall.app))

    def _send_what_is_ready(self, _done: object) -> None:
        """In the order of the questions: an answer that is ready waits for those before it."""
        while self._waiting and self._transport:
            first = self._waiting[0]
            if isinstance(first, asyncio.Task):
                if not first.done():
                    return
                failed = first.cancelled() or first.exception() is not None
                first = FAILED if failed else first.result()
            self._waiting.popleft()
            self._transport.write(first)
        self._hall.guests.idle(self)
        if self._closing and self._transport:
            self._transport.close()

    def _scope(self, ask: Ask) -> dict[str, object]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": ask.door.decode(),
            "raw_path": ask.door,
            "query_string": b"",
            "root_path": "",
            "headers": lowered(ask.headers),
            "client": (self._peer, 0),
            "server": ("", 0),
            "extensions": {},
        }

    def _leave(self) -> None:
        self._closing = True
        if not self._waiting and self._transport:
            self._transport.close()

    def _refuse(self) -> None:
        if not self._closing:
            self._waiting.append(BAD)
            self._closing = True
            self._send_what_is_ready(None)


def _size(header: tuple[bytes, bytes]) -> int:
    return len(header[0]) + len(header[1])
