"""The machine under the measurements: which core runs what, whether it is quiet, and what a process tree has used."""

import contextlib
import os
import platform
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psutil

PATIENCE = 6.0  # seconds of a round spent on waiting for a quiet machine
BUSY_PERCENT = 25.0
LOOK_SECONDS = 0.2


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Processes started in the block stay on this core, by number; without one, or without two cores, they roam."""
    if core is None or not hasattr(os, "sched_setaffinity") or cores() < 2:
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def wait_for_quiet(seconds: float) -> float:
    """Wait until others use less than a quarter of the machine, `seconds` at the longest; what is left of them."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and psutil.cpu_percent(LOOK_SECONDS) > BUSY_PERCENT:
        pass
    return max(0.0, deadline - time.monotonic())


def used(roots: Iterable[int]) -> float:
    """Seconds of processor time that these processes, and all they have started, have used so far."""
    return sum(_of_tree(pid) for pid in roots)


def about() -> dict[str, Any]:
    """What to say of the machine beside the figures."""
    return {"cores": cores(), "machine": platform.machine(), "python": platform.python_version()}


def _of_tree(pid: int) -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                # Children that have ended and were waited for count with their parent.
                total += times.user + times.system + times.children_user + times.children_system
    return total
