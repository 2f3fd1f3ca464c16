"""One limit for all processes of a host: whoever computes holds a slot, which is a lock (flock) on a small file.

The kernel frees the slots of a process that dies. One that is paused keeps its own until it goes on.
"""

import fcntl
import logging
import os
import stat
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


class Slots:
    """`count` slots, shared with every process of the same user that names the same folder.

    Where the folder cannot be used, each process counts for itself: no more than `count` threads may ask at once.
    """

    def __init__(self, count: int, folder: str = "") -> None:
        self._choosing = threading.Lock()
        try:
            place = _private(Path(folder or tempfile.gettempdir()) / f"ostiary-{os.geteuid()}")
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._idle = deque(os.open(place / f"hash-{number}", flags, 0o600) for number in range(count))
        except OSError as error:
            log.warning("The limit of hashes counts for this process alone: %s", error)
            self._idle = deque()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot; blocks the thread until one is free."""
        slot = self._take()
        try:
            yield
        finally:
            if slot is not None:
                fcntl.flock(slot, fcntl.LOCK_UN)
                self._idle.append(slot)

    def _take(self) -> int | None:
        with self._choosing:
            if not self._idle:
                return None
            for _ in range(len(self._idle)):
                slot = self._idle.popleft()
                if _free(slot):
                    return slot
                self._idle.append(slot)
            slot = self._idle.popleft()
        # All are busy. Threads of one process wait at different slots, so that none stands idle while many wait.
        fcntl.flock(slot, fcntl.LOCK_EX)
        return slot


def _free(slot: int) -> bool:
    try:
        fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(folder: Path) -> Path:
    """The folder, made if need be; nobody else may be able to hold our locks."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is open to others")
    return folder
