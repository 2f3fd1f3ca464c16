"""All of `up` on one event loop: site, console, courier, SMTP catcher and mailbox, opened and closed in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

from ostiary import database, logs, mailbox, mails, pair, postgres, serving
from ostiary.pair import Services
from ostiary.postgres import Cluster, Start
from ostiary.serving import Sockets

LAST_SECONDS = 5.0
LOOK_SECONDS = 0.5


def prepare(cluster: Cluster, sockets: Sockets) -> Services:
    """The database brought up to date and both services built on it; nothing is served yet."""
    logs.to_folder(cluster.home)
    database.prepare(cluster)
    return pair.build(cluster, sockets.smtp.getsockname()[1])


async def run(built: Services, sockets: Sockets, server: Start, ready: Callable[[], object]) -> None:
    """Serve until Ctrl-C or SIGTERM; `ready` is called once everything answers."""
    stop = asyncio.Event()
    box = mails.Mailbox()
    both, at_once = serving.either("/admin", built.admin, built.auth), built.auth.extensions["ostiary-at-once"]
    site = serving.Site(both, sockets.site, at_once=at_once)
    shown = serving.Site(mailbox.create_mailbox(box, built.settings.public_url), sockets.mailbox)
    with serving.stop_signals(stop):
        async with (
            mails.catching(box, sockets.smtp),
            serving.lifespan(built.auth),
            serving.lifespan(built.admin),
            _beside(lambda ended: pair.deliver(built, ended), stop),
            _beside(lambda ended: _keep_alive(server, ended), stop),
            serving.serving(site, shown),
        ):
            ready()
            await stop.wait()


@contextlib.asynccontextmanager
async def _beside(
    work: Callable[[asyncio.Event], Coroutine[None, None, None]], stop: asyncio.Event
) -> AsyncIterator[None]:
    """Do `work` beside the block, until the event it is given is set. Work that ends earlier stops everything.

    The event is its own, so that mail goes out and the database answers while the servers drain.
    """
    ended = asyncio.Event()
    task = asyncio.create_task(work(ended))
    task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        ended.set()
        await asyncio.wait({task}, timeout=LAST_SECONDS)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_alive(server: Start, ended: asyncio.Event) -> None:
    """Start the database anew when it ends by itself."""
    while not ended.is_set():
        if server.keeper.poll() is not None:
            await asyncio.to_thread(postgres.revive, server)
            await asyncio.to_thread(postgres.wait, server)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), LOOK_SECONDS)
