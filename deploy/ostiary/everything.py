"""All of `up` on one event loop: site, console, courier, SMTP catcher and mailbox, opened and closed in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from ostiary import database, mailbox, mails, services, serving
from ostiary.postgres_files import Cluster
from ostiary.services import Services
from ostiary.up import Sockets

COURIER_SECONDS = 5.0


@dataclass(frozen=True)
class News:
    """What the operator is told after the start, beside the addresses."""

    claim_link: str | None
    demo_password: str | None


def prepare(cluster: Cluster, public_url: str, sockets: Sockets) -> Services:
    """The database brought up to date and both services built on it; nothing is served yet."""
    database.prepare(cluster)
    return services.build(cluster, public_url, sockets.smtp.getsockname()[1])


def first_things(built: Services, *, demo: bool) -> News:
    """What is done once: the sample people on request, and a claim link while nobody is administrator."""
    return News(asyncio.run(services.claim_link(built)), asyncio.run(services.add_samples(built)) if demo else None)


async def run(built: Services, sockets: Sockets, ready: Callable[[], object]) -> None:
    """Serve until Ctrl-C or SIGTERM; `ready` is called once everything answers."""
    stop = asyncio.Event()
    box = mails.Mailbox()
    site = serving.Site(serving.either("/admin", built.admin, built.auth), sockets.site)
    shown = serving.Site(mailbox.create_mailbox(box, built.settings.public_url), sockets.mailbox)
    with serving.stop_signals(stop):
        async with (
            mails.catching(box, sockets.smtp),
            serving.lifespan(built.auth),
            serving.lifespan(built.admin),
            _delivering(built, stop),
            serving.serving(site, shown),
        ):
            ready()
            await stop.wait()


@contextlib.asynccontextmanager
async def _delivering(built: Services, stop: asyncio.Event) -> AsyncIterator[None]:
    """The courier beside the block. It has its own stop, so that it goes on while the servers drain."""
    ended = asyncio.Event()
    courier = asyncio.create_task(services.deliver(built, ended))
    courier.add_done_callback(
        lambda _: stop.set()
    )  # without a courier nobody could sign up: better to stop and say why
    try:
        yield
    finally:
        ended.set()
        await asyncio.wait({courier}, timeout=COURIER_SECONDS)
        courier.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await courier
