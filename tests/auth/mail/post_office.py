"""A scripted SMTP server on 127.0.0.1 and a courier to go with it. Real sockets, real replies."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from aiosmtpd.smtp import SMTP, Envelope, Session

from ostiary_auth.mail import courier
from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Message
from ostiary_shared.store import api_tokens, messages, users
from ostiary_shared.store.messages import Draft, Kind

OK = "250 Taken"
HANG, DROP = "hang", "drop"
PATIENCE = 15.0


@dataclass
class Server:
    """What arrived, and what the next commands are answered with; OK when the script is at its end."""

    port: int = 0
    rcpt: list[str] = field(default_factory=list)
    sender: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    connections: int = 0

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.sender.pop(0) if self.sender else OK
        if reply.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.rcpt.pop(0) if self.rcpt else OK
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        reply = self.data.pop(0) if self.data else OK
        if reply == HANG:
            await asyncio.sleep(60)
        if reply == DROP:
            _hang_up(server)
        if reply in {OK, DROP}:
            content = envelope.content
            assert isinstance(content, bytes)
            self.got.append(message_from_bytes(content, policy=policy.default))
            self.recipients.append(list(envelope.rcpt_tos))
            self.encrypted.append(session.ssl is not None)
        return OK if reply == DROP else reply

    def to(self) -> list[str]:
        return [address for addresses in self.recipients for address in addresses]


def _hang_up(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


@contextlib.asynccontextmanager
async def listening(
    server: Server, *, ssl_context: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Server]:
    """The server answers inside the block; the port stays the same when it listens again."""
    made: list[SMTP] = []

    def greet() -> SMTP:
        server.connections += 1
        made.append(SMTP(server, hostname="smtp.example.test", **options))
        return made[-1]

    loop = asyncio.get_running_loop()
    sockets = await loop.create_server(greet, "127.0.0.1", server.port, ssl=ssl_context)
    server.port = sockets.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        sockets.close()
        for one in made:
            _hang_up(one)
            if one._handler_coroutine and not one._handler_coroutine.done():
                one._handler_coroutine.cancel()
        await asyncio.sleep(0.05)


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    return _part(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    """The HTML of a mail."""
    return _part(mail, "html")


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body
    return str(body.get_content())


def at(settings: AuthSettings, port: int, query: str = "", who: str = "", scheme: str = "smtp") -> AuthSettings:
    """The settings with another SMTP server."""
    return AuthSettings.load(
        {
            "OSTIARY_PUBLIC_URL": settings.public_url,
            "OSTIARY_DATABASE_URL": settings.database_url.get_secret_value(),
            "OSTIARY_SECRET_KEY": " ".join(settings.secrets),
            "OSTIARY_MAIL_FROM": settings.mail_from,
            "OSTIARY_SMTP_URL": f"{scheme}://{who}127.0.0.1:{port}{query}",
        }
    )


@contextlib.asynccontextmanager
async def carrying(settings: AuthSettings, couriers: int = 1) -> AsyncIterator[asyncio.Event]:
    """Couriers at work inside the block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(courier.run(settings, stop)) for _ in range(couriers)]
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait for something to become true; awaitable conditions are awaited."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.03)


async def person(
    sessions: Sessions, email: str = "ada@example.org", *, confirmed: bool = True, name: str = "Ada"
) -> UUID:
    """A person in the database."""
    async with sessions.begin() as session:
        user = await users.add(session, email, name, clock.now() if confirmed else None)
        assert user
        return user.id


async def api_token(sessions: Sessions, owner: UUID) -> UUID:
    """A program's token of theirs."""
    now = clock.now()
    wanted = api_tokens.Wanted(owner, "backup script", tokens.random_bytes(32), (), now + timedelta(days=3))
    async with sessions.begin() as session:
        return (await api_tokens.add(session, wanted, now)).id


async def promise(sessions: Sessions, draft: Draft) -> UUID:
    """A mail in the outbox, as a flow leaves it."""
    async with sessions.begin() as session:
        return await messages.queue(session, draft, clock.now())


async def recovery(sessions: Sessions, email: str = "ada@example.org") -> UUID:
    """A person who asked for a new password."""
    return await promise(sessions, Draft(Kind.RECOVER, email, await person(sessions, email)))


async def row(sessions: Sessions, message_id: UUID) -> Message:
    """The outbox row as it is now."""
    async with sessions() as session:
        found = await session.get(Message, message_id)
        assert found
        return found


async def settled(sessions: Sessions, message_id: UUID) -> Message:
    """The outbox row once it has ended."""

    async def ended() -> bool:
        found = await row(sessions, message_id)
        return bool(found.sent_at or found.failed_at or found.dropped_at)

    await until(ended)
    return await row(sessions, message_id)
