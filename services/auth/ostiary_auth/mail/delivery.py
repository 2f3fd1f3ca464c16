"""One batch of the outbox over one SMTP connection: claim, write, send, note how it went.

At least once: a row is settled after the server's reply, so that a crash in between repeats the mail under the same
Message-ID. What was sent twice shows `attempts` above 1.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_auth.mail import envelope, errand, letters, metrics, schedule, transport
from ostiary_auth.mail.errand import Letterhead, Pointless, Ready
from ostiary_auth.mail.server import Server
from ostiary_auth.mail.transport import Deferred, Line, Refused, ServerTrouble, Verdict
from ostiary_shared import clock, request_id
from ostiary_shared.database import Sessions, is_away
from ostiary_shared.errors import Invalid
from ostiary_shared.models import Message
from ostiary_shared.store import messages, users

MAIL_SECONDS = 60.0
NOTE_SECONDS = 60.0
# What the next mail may need at worst. A claim that would run out sooner is given back;
# that of a dead courier ends with HOLD.
NEEDED = timedelta(seconds=2 * transport.CONNECT_SECONDS + MAIL_SECONDS + NOTE_SECONDS)
HOLD = NEEDED + timedelta(seconds=40)
# When asked to stop, the mail in hand may take this long still.
GRACE_SECONDS = 3.0
RETRY_SECONDS = 0.3

log = structlog.get_logger("ostiary")


@dataclass(frozen=True, slots=True)
class Office:
    """What a courier works with."""

    letterhead: Letterhead
    sessions: Sessions
    server: Server
    sender: Address
    host: str
    stop: asyncio.Event


@dataclass(frozen=True, slots=True)
class Tried:
    """How it went with one mail; `ready` is what was handed over."""

    outcome: Verdict | Pointless
    ready: Ready | None = None


async def deliver(office: Office, limit: int) -> int:
    """Send up to `limit` due mails; how many were taken. Raises ServerTrouble when none can be sent now."""
    async with office.sessions.begin() as session:
        rows = deque(await messages.claim(session, clock.now(), hold=HOLD, limit=limit))
    taken, reply, line = len(rows), "", None
    try:
        while rows and not office.stop.is_set() and not _late(rows[0]):
            line = line if line and line.is_connected else await _connect(office)
            # Each line about this mail says who promised it, at whose request.
            with request_id.carried(rows[0].request_id, message=str(rows[0].id), kind=rows[0].kind):
                await _one(office, line, rows[0])
            rows.popleft()
    except ServerTrouble as trouble:
        reply = trouble.reply
        raise
    finally:
        await _give_back(office, rows, reply)
        if line:
            await transport.leave(line)
    return taken


async def _connect(office: Office) -> Line:
    try:
        async with _patience(office.stop, 2 * transport.CONNECT_SECONDS):
            return await transport.connect(office.server, office.host)
    except TimeoutError:
        raise ServerTrouble("The server took too long to greet us.") from None


async def _one(office: Office, line: Line, row: Message) -> None:
    try:
        tried = await _try(office, line, row)
    except ServerTrouble as trouble:
        # Another mail is asked about next: should the trouble be this one's after all, it holds up no other.
        values = schedule.later(row, trouble.reply)
        _tell(row, "given_up" if "failed_at" in values else "deferred")
        await _note(office, row, values)
        raise
    except Exception as error:
        if is_away(error):
            raise
        # Without a traceback, which could show the link.
        log.error("mail could not be written", error=type(error).__name__, reason=str(error))  # noqa: TRY400
        tried = Tried(Deferred(f"The mail could not be written: {type(error).__name__}."))
    if tried:
        values = schedule.values(row, tried.outcome)
        _tell(row, _word(tried.outcome, values))
        await _note(office, row, values, tried.ready)


def _word(outcome: Verdict | Pointless, values: messages.Values) -> str:
    match outcome:
        case Deferred() if "failed_at" in values:
            return "given_up"
        case _:
            return type(outcome).__name__.lower()


def _tell(row: Message, word: str) -> None:
    """How it went with a mail, in a line and in the figures. Never what the server said: it may quote the address."""
    metrics.MAILS.labels(word).inc()
    if word == "sent":
        metrics.MAIL_SECONDS.observe((clock.now() - row.created_at).total_seconds())
    (log.info if word in {"sent", "pointless"} else log.warning)("mail", outcome=word, attempts=row.attempts)


async def _try(office: Office, line: Line, row: Message) -> Tried | None:
    """One try at one mail; None when it is no longer ours to send."""
    now = clock.now()
    async with office.sessions.begin() as session:
        if row.user_id:
            await users.hold(session, row.user_id)  # first, as those do who end links: so neither overtakes the other
        if not await messages.held(session, row, now):
            return None
        found = await errand.prepare(session, office.letterhead, row, now)
    if isinstance(found, Pointless):
        return Tried(found)
    try:
        to = envelope.recipient(found.context.email)
    except Invalid:
        return Tried(Refused("This is not the address of one person."))
    letter = letters.render(found.kind, found.context)
    message = envelope.pack(envelope.Envelope(row.id, office.host, office.sender, to, now), letter)
    try:
        async with _patience(office.stop, MAIL_SECONDS):
            return Tried(await transport.send(line, message, office.sender, to), found)
    except TimeoutError:
        line.close()
        return Tried(Deferred("The server took too long."))


async def _note(office: Office, row: Message, values: messages.Values, ready: Ready | None = None) -> None:
    async def write(session: AsyncSession) -> None:
        noted = await messages.settle(session, row, **values)
        if noted and ready and "sent_at" in values:
            await errand.sent(session, ready, clock.now())

    await _insist(office, write)


async def _give_back(office: Office, rows: deque[Message], reply: str) -> None:
    """Mails that were not tried go back as they were, with what the server said; the too old are given up."""

    async def write(session: AsyncSession) -> None:
        for row in rows:
            await messages.settle(session, row, **schedule.untried(row, reply))

    if rows:
        await _insist(office, write)
        for row in rows:
            if "failed_at" in schedule.untried(row, reply):
                with request_id.carried(row.request_id, message=str(row.id), kind=row.kind):
                    _tell(row, "given_up")


async def _insist(office: Office, write: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Write, waiting for the database while it is away: what is not noted would be sent again."""
    away = False
    async with _patience(office.stop, NOTE_SECONDS):
        while True:
            try:
                async with office.sessions.begin() as session:
                    return await write(session)
            except Exception as error:
                if not is_away(error):
                    raise
            if not away:
                log.warning("courier waits", trouble="database")
            away = True
            await asyncio.sleep(RETRY_SECONDS)


def _late(row: Message) -> bool:
    return row.claimed_until is None or clock.now() + NEEDED > row.claimed_until


@asynccontextmanager
async def _patience(stop: asyncio.Event, seconds: float) -> AsyncIterator[None]:
    """The block has so many seconds, or `GRACE_SECONDS` once we are asked to stop; then TimeoutError."""
    async with asyncio.timeout(seconds) as limit:
        watching = asyncio.create_task(_hurry(stop, limit))
        try:
            yield
        finally:
            watching.cancel()


async def _hurry(stop: asyncio.Event, limit: asyncio.Timeout) -> None:
    await stop.wait()
    soon = asyncio.get_running_loop().time() + GRACE_SECONDS
    if not limit.expired():
        limit.reschedule(min(limit.when() or soon, soon))
