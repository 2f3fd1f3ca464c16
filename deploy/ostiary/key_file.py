"""The file of a service's secret keys: which makes, which are accepted, and since when. Each step is a new file.

A key comes in two steps, so that no process meets what was made with a key that it does not know: first it is accepted
everywhere, then it makes. Notes in the file say how far that is; services pass over them.
"""

import base64
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ostiary import rewriting
from ostiary.faults import Finding, Refusal
from ostiary_shared import tokens
from ostiary_shared.settings import fault_of_keys, keys_of

NEW_BYTES = 48
WAITS, MADE = "waits since", "made until"
_NOTE = re.compile(rf"# ([0-9a-f]{{8}}) ({WAITS}|{MADE}) (\S+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what the file says of it: that it waits since `when`, or that it made until then."""

    key: str
    note: str = ""
    when: datetime | None = None

    @property
    def mark(self) -> str:
        """What tells the key from others and gives nothing of it away."""
        return mark(self.key)


def mark(key: str) -> str:
    """The same for any key."""
    return tokens.derive((key,), "mark").first.hex()[:8]


def read(path: Path) -> tuple[Entry, ...]:
    """What the file holds. Raises Refusal when a service could not start with it, either."""
    text = rewriting.read(path)
    keys = keys_of(text)
    fault = fault_of_keys(keys)
    if fault:
        raise Refusal(f"{path} is no file of secret keys: its content {fault}.")
    try:
        notes = {found[1]: (found[2], datetime.fromisoformat(found[3]).astimezone()) for found in _NOTE.finditer(text)}
    except (ValueError, OverflowError):
        raise Refusal(f"{path} has a note with a date that is none; take that line away, it is no key.") from None
    return tuple(Entry(key, *notes.get(mark(key), ())) for key in keys)


def write(path: Path, entries: tuple[Entry, ...]) -> None:
    """Put the file in the place of the one before, whole."""
    rewriting.replace(path, "".join(f"{_noted(entry)}{entry.key}\n" for entry in entries))


def add(entries: tuple[Entry, ...], now: datetime) -> tuple[Entry, ...]:
    """A new key, that is accepted and makes nothing yet."""
    if waiting(entries):
        raise Finding("a new key waits already; go on with --promote, or take it away with --drop.")
    fresh = base64.b64encode(tokens.random_bytes(NEW_BYTES)).decode()
    return (*entries, Entry(fresh, WAITS, now))


def promote(entries: tuple[Entry, ...], now: datetime, *, anyway: bool = False) -> tuple[Entry, ...]:
    """The new key first; what the others made is accepted still.

    Raises Finding when the file does not say that the last key is a new one: an old one, which may have got out, would
    make again. With `anyway` it is taken for one.
    """
    new, last = waiting(entries), entries[-1]
    if new is None and len(entries) > 1 and not last.note:
        if not anyway:
            raise Finding(
                f"the file does not say whether {last.mark}, the last key, is a new one or one that made before the "
                "first; if it is new and shall make, say --anyway, and for another one begin with --add."
            )
        new = last
    if new is None:
        raise Finding("no new key waits; begin with --add.")
    others = [entry if entry.note == MADE else replace(entry, note=MADE, when=now) for entry in entries if entry != new]
    return (Entry(new.key), *others)


def waiting(entries: tuple[Entry, ...]) -> Entry | None:
    """The key that shall come first, as --add noted."""
    return next((entry for entry in entries[1:] if entry.note == WAITS), None)


def since(entries: tuple[Entry, ...], path: Path) -> float:
    """When the present first key came first, as the file tells; else when the file was last changed (Unix time)."""
    moments = [entry.when.timestamp() for entry in entries if entry.when is not None]
    return max(moments, default=path.stat().st_mtime)


def _noted(entry: Entry) -> str:
    when = entry.when.isoformat() if entry.when else ""
    return f"# {entry.mark} {entry.note} {when}\n" if entry.note else ""
