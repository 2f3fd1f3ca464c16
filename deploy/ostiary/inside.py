"""One process of a service with all that is told about it inside the network: figures, health, and traces if wanted."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from ostiary import serving
from ostiary.metrics_port import MetricsPort, look
from ostiary_shared import metrics
from ostiary_shared.beside import beside
from ostiary_shared.health import Health
from ostiary_shared.settings import Settings

# Prometheus, the supervisor and somebody who looks; nobody else has any business there.
MOST = 50


def bound(service: str, settings: Settings) -> socket.socket | None:
    """The socket of a service's internal port, where there is to be one; a busy one is refused."""
    metrics.name_service(service)
    host, _, port = settings.metrics_listen.rpartition(":")
    return serving.bind(int(port), "OSTIARY_METRICS_LISTEN", host.strip("[]")) if port else None


@contextlib.asynccontextmanager
async def told(health: Health, listener: socket.socket | None) -> AsyncIterator[None]:
    """Tell how we are while the block runs, if there is a port for it."""
    if listener is None:
        yield
        return
    async with serving.serving(serving.Site(MetricsPort(health), listener, most=MOST)), beside(look(health)):
        yield


async def site(settings: Settings, make: Callable[[], serving.Site], listener: socket.socket | None) -> None:
    """Serve an app, and tell how it is, until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    with serving.stop_signals(stop):
        async with traced(settings):
            place = make()
            health = health_of(place.app)
            async with serving.lifespan(place.app), told(health, listener), serving.serving(place) as servers:
                await stop.wait()
                health.ending.set()
                await serving.farewell(servers)


@contextlib.asynccontextmanager
async def traced(settings: Settings) -> AsyncIterator[None]:
    """Keep traces while the block runs, if that is wanted; begin it before anything that is to be traced is made."""
    if not settings.tracing:
        yield
        return
    from ostiary import tracing  # noqa: PLC0415 - what it is made of is an extra

    end = tracing.begin(metrics.service())
    try:
        yield
    finally:
        await asyncio.to_thread(end)


def health_of(app: serving.App) -> Health:
    """How an app of ours is."""
    found: Health = app.extensions["ostiary-health"]  # type: ignore[attr-defined]
    return found
