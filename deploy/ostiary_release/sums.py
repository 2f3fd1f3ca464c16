"""The list of hashes: in the form of sha256sum(1), so that nobody needs us to check it."""

import hashlib
import re
from pathlib import Path

LIST = "SHA256SUMS"


def write(folder: Path) -> None:
    """List every file in `folder`."""
    lines = [f"{digest}  {name}\n" for name, digest in _found(folder).items()]
    (folder / LIST).write_text("".join(lines))


def faults(folder: Path) -> list[str]:
    """What is not as the list says: files that differ, are missing, or that nobody has listed."""
    lines = (folder / LIST).read_text().splitlines()
    pairs = [re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line) for line in lines]
    if not lines or not all(pairs):
        return [f"{LIST} is damaged."]
    listed = {pair[2]: pair[1] for pair in pairs if pair}
    found = _found(folder)
    return [
        *(f"{name} is not what was released." for name in listed if name in found and found[name] != listed[name]),
        *(f"{name} is missing." for name in listed if name not in found),
        *(f"{name} is not part of the release." for name in found if name not in listed),
    ]


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _found(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != LIST}
