"""The courier: takes mail out of the outbox until told to stop, through outages of the SMTP server and the database."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from ostiary_auth.flows import housekeeping, key_rotation, remind
from ostiary_auth.mail import delivery, envelope, metrics, server
from ostiary_auth.mail.delivery import Office
from ostiary_auth.mail.errand import Letterhead
from ostiary_auth.mail.transport import ServerTrouble
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import code_key
from ostiary_shared import clock
from ostiary_shared.beside import beside
from ostiary_shared.database import Sessions, is_away, make_engine, make_sessions, pool_sampler, trouble
from ostiary_shared.health import Health
from ostiary_shared.metrics.beat import beating
from ostiary_shared.store import messages

BATCH = 20
POLL_SECONDS = 0.5
# An unreachable server is asked again soon; one that turns us away seldom, or it may shut us out.
UNREACHABLE = (1.0, 2.0, 4.0, 8.0)
UNWELCOME = (10.0, 30.0, 120.0, 300.0)
BROKEN_SECONDS = 5.0
LOOK_SECONDS = 5.0
SWEEP_EVERY = timedelta(minutes=10)

log = structlog.get_logger("ostiary")


@dataclass(slots=True)
class Weather:
    """What goes wrong at present: said once when it comes and once when it is over."""

    trouble: str = ""
    count: int = 0
    reply: str = ""
    sweep_at: datetime | None = None

    def worse(self, trouble: str, **details: str) -> None:
        """Trouble, perhaps again."""
        if trouble != self.trouble:
            self.count = 0
            log.warning("courier waits", trouble=trouble, **details)
        self.trouble, self.reply = trouble, details.get("reply", "")
        self.count += 1

    async def smtp(self) -> str:
        """What is wrong with the mail server at present."""
        return f"No mail leaves at present: {self.reply}" if self.trouble == "smtp" else ""

    def fine(self) -> None:
        """All is well."""
        if self.trouble:
            log.info("courier goes on", after=self.trouble)
        self.trouble, self.count = "", 0


async def run(settings: AuthSettings, stop: asyncio.Event, health: Health | None = None) -> None:
    """Send mail until `stop` is set; the mail in hand is finished. Raises SettingsError before the first mail.

    `health` hears how the database and the mail server are.
    """
    letterhead, out, sender = Letterhead(settings, code_key(settings)), server.read(settings), envelope.sender(settings)
    # One connection for mails, one for figures and health.
    engine = make_engine(settings.database_url.get_secret_value(), "ostiary-courier", pool_size=3)
    office = Office(letterhead, make_sessions(engine), out, sender, envelope.host(settings), stop)
    weather = Weather()
    if health is not None:
        health.vital["database"] = partial(trouble, office.sessions)
        health.told["smtp"] = weather.smtp
    try:
        async with beside(_look(office.sessions)), beating(pool_sampler(engine)):
            while not stop.is_set():
                await _wait(stop, await _round(office, weather))
    finally:
        await engine.dispose()


async def _look(sessions: Sessions) -> None:
    """See from time to time how much mail waits, and for how long."""
    while True:
        with contextlib.suppress(Exception):  # the round says what is wrong
            async with sessions() as session:
                waiting, oldest = await messages.waiting(session)
            metrics.OUTBOX_WAITING.set(waiting)
            metrics.OUTBOX_AGE.set((clock.now() - oldest).total_seconds() if oldest else 0)
        await asyncio.sleep(LOOK_SECONDS)


async def _round(office: Office, weather: Weather) -> float:
    """Send what is due; the seconds until it is worth looking again."""
    try:
        taken = await delivery.deliver(office, 1 if weather.trouble else BATCH)
        if taken == 0:
            await _sweep(office, weather)
    except ServerTrouble as trouble:
        steps = UNWELCOME if trouble.unwelcome else UNREACHABLE
        weather.worse("smtp", reply=trouble.reply)
        return steps[min(weather.count, len(steps)) - 1]
    except Exception as error:  # noqa: BLE001 - whatever happens, mail goes out again once it is over
        if is_away(error):
            weather.worse("database")
            return POLL_SECONDS
        weather.worse("error", kind=type(error).__name__, reason=str(error))
        return BROKEN_SECONDS
    if taken or weather.trouble != "smtp":
        weather.fine()
    return 0.0 if taken else POLL_SECONDS


async def _sweep(office: Office, weather: Weather) -> None:
    now = clock.now()
    if weather.sweep_at and now < weather.sweep_at:
        return
    weather.sweep_at = now + SWEEP_EVERY
    await key_rotation.keep_young(office.sessions, office.letterhead.settings)
    await remind.remind(office.sessions, now)
    await housekeeping.sweep(office.sessions, now)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
