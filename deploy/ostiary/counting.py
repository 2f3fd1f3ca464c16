"""Lets several processes of one service add up their figures: each writes files into a folder that `serve` made.

Must be begun before the library of the figures is loaded: it looks for the folder only then.
"""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "ostiary-figures-"
LOCK = "in-use"


@contextlib.contextmanager
def shared_figures(workers: int, place: str = "") -> Iterator[None]:
    """A private folder for the figures while the block runs; none for one process, which keeps its own in memory.

    What others left behind who were killed is removed: nobody holds its lock any more.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("the figures were loaded before their folder was made")
    if workers == 1:
        os.environ.pop(FOLDER, None)
        yield
        return
    parent = Path(place or tempfile.gettempdir())
    _clear(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = _locked(folder)
    os.environ[FOLDER] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def gone(process: int, *, died: bool) -> None:
    """A worker is gone, and what it had in use with it. What it had counted stays counted."""
    if not os.environ.get(FOLDER):
        return
    from prometheus_client import multiprocess  # noqa: PLC0415 - see above

    from ostiary_shared import metrics  # noqa: PLC0415

    multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]
    if died:
        metrics.worker_died()


def _locked(folder: Path) -> int:
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _clear(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, or just being removed
            if folder.lstat().st_uid != os.geteuid() or folder.is_symlink():
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
