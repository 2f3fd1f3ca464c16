"""A file that appears whole or not at all: written aside, brought to the disk, then renamed."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from ostiary.faults import Refusal
from ostiary_shared import clock

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
OF_DISKS = {*FULL, errno.EIO, errno.EROFS}
DEAD = timedelta(hours=1)  # since somebody wrote last


@contextlib.contextmanager
def whole(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file to write to, readable by nobody else, that becomes `path` when the block ends well."""
    if path.exists() and not force:
        raise Refusal(f"{path} is there already; choose another name, or say --force to replace it.")
    _tidy(path)
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".unfinished", dir=path.parent)  # mode 0600
    except OSError as error:
        raise _told(path, error) from None
    draft = Path(name)
    try:
        with os.fdopen(number, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in OF_DISKS:  # others are the database's
            raise _told(path, error) from None
        raise
    finally:
        draft.unlink(missing_ok=True)


def _tidy(path: Path) -> None:
    """Remove what killed commands have left unfinished here: whole copies of the database, or nearly."""
    ours = re.compile(rf"\.(ostiary-.*\.backup|{re.escape(path.name)})\.[a-z0-9_]{{8}}\.unfinished")
    with contextlib.suppress(OSError):
        for draft in path.parent.iterdir():
            if not ours.fullmatch(draft.name) or not draft.is_file() or draft.is_symlink():
                continue
            if draft.stat().st_mtime < (clock.now() - DEAD).timestamp():
                draft.unlink(missing_ok=True)


def _told(path: Path, error: OSError) -> Refusal:
    kept = f"{path} is as it was" if path.exists() else "nothing was left behind"
    if error.errno in FULL:
        return Refusal(f"the disk of {path.parent} is full; make room or write elsewhere; {kept}.")
    return Refusal(f"{path} cannot be written ({error.strerror or error}); {kept}.")


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
