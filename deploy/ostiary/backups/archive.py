"""The file of a backup: a tar of `manifest.json`, for a passphrase `key.age`, and `dump` or `dump.age`.

Room for the manifest is left at the beginning and filled at the end, so that a dump of any size is written once only.
"""

import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ostiary.backups.manifest import Manifest
from ostiary.faults import Finding, Refusal

MANIFEST, KEY, DUMP, SEALED_DUMP = "manifest.json", "key.age", "dump", "dump.age"
BLOCK = 512
ROOM = 256  # bytes; more than the size and the digest of the dump take
PIECE = 1 << 18
LARGEST = 1 << 20  # bytes of what stands before the dump
NONE_OF_OURS = "is no backup of Ostiary, or it is damaged"


def unheard(_size: int) -> None:
    """For whoever watches no progress."""


class Sink:
    """Takes a dump in pieces, writes and digests them; `told` hears how much there is by now."""

    def __init__(self, file: BinaryIO, told: Callable[[int], object]) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self._file = file
        self._told = told

    def write(self, piece: bytes, /) -> int:
        self.digest.update(piece)
        self.size += len(piece)
        self._told(self.size)
        return self._file.write(piece)

    def flush(self) -> None:
        """Once, at the end, is enough."""


class Source:
    """A part of a file, read in pieces; `told` hears how much of it was read."""

    def __init__(self, file: BinaryIO, size: int, told: Callable[[int], object]) -> None:
        self.done = 0
        self._file, self._size, self._told = file, size, told

    def read(self, size: int = -1, /) -> bytes:
        left = self._size - self.done
        piece = self._file.read(left if size < 0 else min(size, left))
        self.done += len(piece)
        self._told(self.done)
        return piece


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was opened: what it says, the locked key if there is one, and where in the file the dump lies."""

    path: Path
    manifest: Manifest
    locked_key: bytes
    offset: int

    def dump(self, file: BinaryIO, told: Callable[[int], object]) -> Source:
        """The dump as it lies in the file."""
        file.seek(self.offset)
        return Source(file, self.manifest.size, told)


def write(file: BinaryIO, manifest: Manifest, locked_key: bytes, fill: Callable[[BinaryIO], Sink]) -> Manifest:
    """Write a whole archive; `fill` writes the dump. The manifest with the size and the digest of it."""
    room = len(_written(manifest)) + ROOM
    file.write(_header(MANIFEST, room, manifest) + bytes(_padded(room)))
    if locked_key:
        file.write(_header(KEY, len(locked_key), manifest) + locked_key + bytes(_padding(len(locked_key))))
    at = file.tell()
    file.write(bytes(BLOCK))
    dump = fill(file)
    file.write(bytes(_padding(dump.size) + 2 * BLOCK))
    done = replace(manifest, size=dump.size, sha256=dump.digest.hexdigest())
    file.seek(at)
    file.write(_header(SEALED_DUMP if manifest.encrypted else DUMP, dump.size, manifest))
    file.seek(BLOCK)
    file.write(_written(done).ljust(room))
    return done


def read(path: Path) -> Archive:
    """Open a backup and read what it says; its dump is not looked at, `check` does that."""
    try:
        with tarfile.open(path, "r:") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or first.size > LARGEST:
                raise Refusal(f"{path} {NONE_OF_OURS}.")
            manifest = Manifest.from_bytes(_content(tar, first))
            second = tar.next()
            locked = b""
            if second is not None and second.name == KEY and second.size <= LARGEST:
                locked, second = _content(tar, second), tar.next()
    except tarfile.TarError:
        raise Refusal(f"{path} {NONE_OF_OURS}.") from None
    if second is None or second.name not in {DUMP, SEALED_DUMP} or second.size != manifest.size:
        raise Refusal(f"{path} {NONE_OF_OURS}: there is no dump in it.")
    return Archive(path, manifest, locked, second.offset_data)


def check(archive: Archive, told: Callable[[int], object]) -> None:
    """Read the whole dump; a Finding when it is not what was written."""
    digest = hashlib.sha256()
    with archive.path.open("rb") as file:
        dump = archive.dump(file, told)
        while piece := dump.read(PIECE):
            digest.update(piece)
    if dump.done < archive.manifest.size:
        missing = archive.manifest.size - dump.done
        raise Finding(f"{archive.path} is cut short: {missing:,} bytes are missing; nothing was changed.")
    if digest.hexdigest() != archive.manifest.sha256:
        raise Finding(
            f"{archive.path} is damaged: its checksum is not the one it was written with; nothing was changed."
        )


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = tar.extractfile(member)
    return opened.read() if opened else b""


def _written(manifest: Manifest) -> bytes:
    return json.dumps(manifest.to_json(), indent=2).encode() + b"\n"


def _header(name: str, size: int, manifest: Manifest) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(manifest.taken_at.timestamp())
    return entry.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> int:
    return -size % BLOCK


def _padded(size: int) -> int:
    return size + _padding(size)
