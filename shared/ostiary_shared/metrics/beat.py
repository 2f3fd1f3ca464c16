"""Once a second, what is looked at rather than counted; ten times a second, how late the event loop is."""

import asyncio
import contextlib
import platform
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import structlog

from ostiary_shared import clock, metrics
from ostiary_shared.beside import beside
from ostiary_shared.metrics import shapes
from ostiary_shared.release import VERSION

TICK = 0.1
TICKS = 10
PAGE = resource.getpagesize()

log = structlog.get_logger("ostiary")

_DELAY = metrics.histogram(
    "ostiary_loop_delay_seconds",
    "How late the event loop was: what every answer, also one from memory, waits for before it is begun.",
    "service",
    buckets=shapes.LOOP,
)
_BUILD = metrics.gauge(
    "ostiary_build_info", "1, with what runs here.", "service", "release", "python", over_processes="livemax"
)
_PROCESSES = metrics.gauge("ostiary_processes", "Processes that serve.", "service")
_STARTED = metrics.gauge(
    "ostiary_process_start_time_seconds",
    "When the newest process began, in seconds since 1970.",
    "service",
    over_processes="livemax",
)
_MEMORY = metrics.gauge("ostiary_process_resident_memory_bytes", "Memory of all processes together.", "service")
_FILES = metrics.gauge("ostiary_process_open_files", "Open files and sockets of all processes together.", "service")
_CPU = metrics.counter("ostiary_process_cpu_seconds_total", "Time on a processor, of all processes.", "service")


@contextlib.asynccontextmanager
async def beating(*samplers: Callable[[], object]) -> AsyncIterator[None]:
    """Call every sampler once a second while the block runs, and keep an eye on the process itself."""
    _say_what_runs()
    async with beside(_beat((_Process().sample, *samplers))):
        yield


async def _beat(samplers: tuple[Callable[[], object], ...]) -> None:
    delay, loop = _DELAY.labels(metrics.service()), asyncio.get_running_loop()
    while True:
        for sampler in samplers:
            try:
                sampler()
            except Exception as error:  # noqa: BLE001 - a figure that is missing must not end the others
                log.warning("a figure could not be taken", error=type(error).__name__)
        for _ in range(TICKS):
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            delay.observe(max(0.0, loop.time() - due))


def _say_what_runs() -> None:
    service = metrics.service()
    _BUILD.labels(service, VERSION, platform.python_version()).set(1)
    _PROCESSES.labels(service).set(1)
    _STARTED.labels(service).set(clock.now().timestamp())


class _Process:
    """This process's use of the machine; what the kernel does not tell stays unsaid."""

    def __init__(self) -> None:
        self._cpu = 0.0

    def sample(self) -> None:
        service, cpu = metrics.service(), time.process_time()
        _CPU.labels(service).inc(max(0.0, cpu - self._cpu))
        self._cpu = cpu
        if sys.platform == "linux":
            _MEMORY.labels(service).set(int(Path("/proc/self/statm").read_text().split()[1]) * PAGE)
            _FILES.labels(service).set(sum(1 for _ in Path("/proc/self/fd").iterdir()))
