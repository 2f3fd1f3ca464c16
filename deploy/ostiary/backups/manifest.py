"""What a backup says about itself, before anything of it is unpacked; nothing in it is secret."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ostiary.faults import Refusal

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """`counts` are the rows of each table in the very snapshot that was dumped; `sha256` and `size` are the dump's.

    `encrypted` is empty, "recipients" or "passphrase"; an encrypted dump is counted and hashed as it lies in the file.
    """

    release: str
    revision: str
    taken_at: datetime
    database: str
    counts: dict[str, int] = field(default_factory=dict)
    encrypted: str = ""
    size: int = 0
    sha256: str = ""
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file, and as --json prints it."""
        return {"format": self.format, **asdict(self), "taken_at": self.taken_at.isoformat()}

    @classmethod
    def from_bytes(cls, written: bytes) -> "Manifest":
        """Raises Refusal for what we have not written, or not yet."""
        try:
            found = json.loads(written)
            number = found["format"]
            if number == FORMAT:
                return _checked(cls(**{**found, "taken_at": datetime.fromisoformat(found["taken_at"])}))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refusal("this is no backup of Ostiary, or it is damaged: its manifest cannot be read.") from None
        raise Refusal(
            f"this backup has the format {number}, this release reads {FORMAT}; use the release that took it."
        )


def _checked(found: Manifest) -> Manifest:
    """Raises ValueError for what we never write: whoever reads on need not be surprised, nor a terminal obey."""
    words: list[Any] = [found.release, found.revision, found.database, found.encrypted, found.sha256, *found.counts]
    numbers = (found.size, *found.counts.values())
    if not all(isinstance(word, str) and word.isprintable() for word in words):
        raise ValueError("a word that is none")
    if not all(type(number) is int and number >= 0 for number in numbers) or found.taken_at.tzinfo is None:
        raise ValueError("a number that is none")
    return found
