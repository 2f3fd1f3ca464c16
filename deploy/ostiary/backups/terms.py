"""What a backup, a restore and a drill are asked, and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ostiary.backups.manifest import Manifest
from ostiary_shared.revocation import Receipt

# Called with what is being done and how much of it is done, from 0 to 1.
Progress = Callable[[str, float], object]


def silently(_what: str, _part: float) -> None:
    """For whoever watches no progress."""


@dataclass(frozen=True, slots=True)
class Taking:
    """How to take a backup: for whom to encrypt it (age recipients, or a passphrase), and whether to overwrite."""

    recipients: tuple[str, ...] = ()
    passphrase: str = ""
    force: bool = False
    progress: Progress = silently


@dataclass(frozen=True, slots=True)
class Restoring:
    """How to restore. `identities` are the words of age's key files.

    `as_it_was` neither migrates nor ends anything: for scratch databases, never for a place in use.
    """

    identities: tuple[str, ...] = ()
    passphrase: str = ""
    keep_api_tokens: bool = False
    as_it_was: bool = False
    progress: Progress = silently


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has done. `seconds` is how long the tables were closed to everybody else."""

    manifest: Manifest
    revision: str
    ended: dict[str, int]
    dropped_mails: int
    seconds: float
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Place:
    """A database as it is now. `undone` counts the audited acts since a moment, by their names."""

    database: str
    server: int
    revision: str | None
    counts: dict[str, int]
    newest: datetime | None
    undone: dict[str, int]
