"""Backups: one file with a manifest and a dump, the way back in one transaction, and scratch databases to rehearse in.

All functions block and run an event loop of their own; what cannot be done is a Refusal or a Finding.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ostiary.backups.manifest import Manifest
from ostiary_shared.revocation import Receipt

__all__ = ["Manifest", "Restored", "Restoring", "Taking", "restore", "scratch", "take"]

# Called with what is being done and how much of it (0 to 1).
Progress = Callable[[str, float], object]


@dataclass(frozen=True, slots=True)
class Taking:
    """How to take a backup: for whom to encrypt it (age recipients, or a passphrase), and whether to overwrite."""

    recipients: tuple[str, ...] = ()
    passphrase: str = ""
    force: bool = False
    progress: Progress = lambda _what, _part: None


@dataclass(frozen=True, slots=True)
class Restoring:
    """How to restore. `as_it_was` neither migrates nor ends anything: for scratch databases, never for a place in use."""

    identities: tuple[str, ...] = ()
    passphrase: str = ""
    keep_api_tokens: bool = False
    as_it_was: bool = False
    progress: Progress = lambda _what, _part: None


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has done; `seconds` is how long the database was closed to others."""

    manifest: Manifest
    revision: str
    ended: dict[str, int]
    dropped_mails: int
    seconds: float
    receipt: Receipt | None


def take(url: str, file: Path, options: Taking = Taking()) -> Manifest:
    """Back up the database at `url` (as ostiary_owner or a superuser) into `file`, whole or not at all."""
    raise NotImplementedError


def restore(url: str, file: Path, options: Restoring = Restoring()) -> Restored:
    """Replace what is ours in the database at `url` by the backup, migrated to this release, in one transaction.

    In the same transaction everything ends that anybody carries. Asks nobody.
    """
    raise NotImplementedError


@contextlib.contextmanager
def scratch(url: str, purpose: str) -> Iterator[str]:
    """The URL of an empty database beside the one at `url`, for the same user; dropped when the block ends.

    Refuses a user who may not create databases. `purpose` becomes part of its name.
    """
    raise NotImplementedError
    yield ""
