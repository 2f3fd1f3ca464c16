"""Lets several processes of one service add up their figures: each writes files into a folder that `serve` made.

Must be begun before the library of the figures is loaded: it looks for the folder only then.
"""

import contextlib
import fcntl
import os
import shutil
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


def gone(process: int) -> None:
    """A worker is gone: what it had of something that is no more does not count any longer."""
    if os.environ.get(FOLDER):
        from prometheus_client import multiprocess  # noqa: PLC0415 - see above

        multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


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
