"""Changing a file that others read at any moment: they see the old text or the new one, and may read it as before."""

import contextlib
import os
from pathlib import Path

from ostiary.faults import Refusal


def read(path: Path) -> str:
    """The text of a file that is to be changed."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refusal(f"{path} is not text in UTF-8.") from None


def draft(path: Path, text: str) -> Path:
    """The new text on disk beside the file, with its owner, group and mode; `put` lets it take the file's place."""
    path = path.resolve()  # a link stays one
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        before = path.stat()
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchown(handle, before.st_uid, before.st_gid)
            os.fchmod(handle, before.st_mode & 0o777)
            file.write(text)
            file.flush()
            os.fsync(handle)
    except OSError as error:
        drop(beside)
        who = "run this as root, or as the user whom it belongs to"
        raise Refusal(f"{path} cannot be replaced: {error.strerror}; {who}.") from None
    return beside


def put(beside: Path, path: Path) -> None:
    """Let a draft take the file's place, for good: the folder is on disk, too, before this returns."""
    path = path.resolve()
    try:
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        whole = "where a single file is mounted, mount its folder instead"
        raise Refusal(f"{path} cannot be replaced: {error.strerror}; {whole}. The new text is in {beside}.") from None


def drop(beside: Path) -> None:
    """Forget a draft."""
    with contextlib.suppress(OSError):
        beside.unlink()


def replace(path: Path, text: str) -> None:
    """All of it at once."""
    put(draft(path, text), path)
