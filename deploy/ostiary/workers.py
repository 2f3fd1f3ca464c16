"""Several processes that serve the same sockets: forked before anything runs, replaced if they die, ended together."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from ostiary import counting
from ostiary.faults import Refusal

# A worker that dies at once is not replaced at once: the machine has better things to do.
SHORTEST_LIFE = 1.0
OTHER_FILES = 100  # of the database, of mail, of the log
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def open_files(connections: int) -> None:
    """See to it that a process may keep so many connections; raises Refusal when the system does not allow it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most not in (resource.RLIM_INFINITY, -1) and most < connections + OTHER_FILES:
        needed = f"this process may open {most} files, and OSTIARY_MAX_CONNECTIONS asks for {connections + OTHER_FILES}"
        raise Refusal(f"{needed}; raise the limit (ulimit -n, LimitNOFILE=) or lower the setting.")
    with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(count: int, work: Callable[[], None]) -> None:
    """Do `work` in `count` processes at once until SIGTERM or Ctrl-C ends them all; with one, in this very process."""
    if count == 1:
        work()
        return
    keeper = _Keeper(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, keeper.end)
    keeper.keep(count)


class _Keeper:
    """The parent: it serves nobody itself."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._started: dict[int, float] = {}
        self._ending = False

    def keep(self, count: int) -> None:
        """Replace workers that die, until told to end; then wait for the last one."""
        for _ in range(count):
            self._start()
        while self._started:
            try:
                process, _status = os.wait()
            except ChildProcessError:
                return
            began = self._started.pop(process, None)
            counting.gone(process, died=not self._ending)
            if began is not None and not self._ending:
                time.sleep(max(0.0, SHORTEST_LIFE - (time.monotonic() - began)))
                self._start()

    def end(self, _number: int, _frame: FrameType | None) -> None:
        """Pass the signal on: each worker ends in its own orderly way."""
        self._ending = True
        for process in tuple(self._started):
            os.kill(process, signal.SIGTERM)

    def _start(self) -> None:
        if self._ending:
            return
        process = os.fork()
        if process:
            self._started[process] = time.monotonic()
            return
        _end_with_parent()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on once
        status = 1
        try:
            self._work()
            status = 0
        finally:
            os._exit(status)


def _end_with_parent() -> None:
    """Should the parent be killed, the kernel tells us, where it can: nobody would replace or end us any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
