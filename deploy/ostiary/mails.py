"""Catches every mail the courier sends under `up`: a real SMTP server on 127.0.0.1 that delivers to nobody.

The last mails are kept in memory only; the pages that show them are in `mailbox`.
"""

import asyncio
import contextlib
import re
import socket
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from ostiary_shared import clock

KEPT = 200
LARGEST = 5_000_000  # bytes of one mail
LINK = re.compile(r"https?://[^\s<>\"']+")
AFTER_A_LINK = ".,;:!?)]"


@dataclass(frozen=True)
class Mail:
    """A mail as the mailbox shows it."""

    number: int
    to: str
    subject: str
    text: str
    html: str
    links: list[str]
    received_at: datetime

    def to_json(self) -> dict[str, Any]:
        """The contract of `/api/messages`."""
        kept = asdict(self) | {"received_at": self.received_at.isoformat()}
        kept.pop("number")
        return kept


@dataclass
class Mailbox:
    """The last mails, newest first."""

    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=KEPT))
    taken: int = 0

    def find(self, number: int) -> Mail | None:
        """The mail with this number, unless it was pushed out or emptied."""
        return next((mail for mail in self.mails if mail.number == number), None)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail in."""
        self.taken += 1
        self.mails.appendleft(read(self.taken, envelope))
        return "250 Kept in the mailbox"


def read(number: int, envelope: Envelope) -> Mail:
    """What arrived, as text: the recipients are those of the envelope, whatever the headers say."""
    content = envelope.content or b""
    message = message_from_bytes(content if isinstance(content, bytes) else content.encode(), policy=policy.default)
    text, html = _part(message, "plain"), _part(message, "html")
    return Mail(
        number,
        ", ".join(envelope.rcpt_tos),
        str(message.get("subject", "")),
        text,
        html,
        links(text, html),
        clock.now(),
    )


def links(text: str, html: str) -> list[str]:
    """Every address in the mail, each once, in the order of the text."""
    finder = _Hrefs()
    finder.feed(html)
    found = [match.rstrip(AFTER_A_LINK) for match in LINK.findall(text)]
    return list(dict.fromkeys(found + finder.found))


@contextlib.asynccontextmanager
async def catching(mailbox: Mailbox, listener: socket.socket) -> AsyncIterator[None]:
    """Take in mail on this socket while the block runs."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="localhost"), sock=listener
    )
    try:
        yield
    finally:
        server.close()


class _Hrefs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and LINK.fullmatch(href):
            self.found.append(href)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, UnicodeError):  # a charset that nobody knows
        text = bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
    return text.replace("\r\n", "\n")
