"""What a hashed lock says about a package: version, condition, hashes, and who asked for it."""

import re
from dataclasses import dataclass

PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)(?:\[[a-z,]+\])?==(?P<version>\S+)(?: ; (?P<condition>[^\\\n]+?))? ?\\?$")


@dataclass(frozen=True)
class Pin:
    """One package of the lock. `asked_by` are packages, and files for what we ask for ourselves."""

    name: str
    version: str
    condition: str
    hashes: tuple[str, ...]
    asked_by: tuple[str, ...]


def read(text: str) -> list[Pin]:
    """Every pin, in order."""
    return [_pin(block) for block in re.split(r"\n(?=[a-z0-9])", text.strip()) if not block.startswith("#")]


def _pin(block: str) -> Pin:
    first, *rest = block.splitlines()
    found = PIN.match(first)
    if found is None:
        raise ValueError(f"this is no pin: {first}")
    comments = " ".join(line.strip().removeprefix("#") for line in rest if line.strip().startswith("#"))
    asked_by = tuple(comments.replace("via", "", 1).replace("-r ", "").split())
    hashes = tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)))
    return Pin(found["name"], found["version"], found["condition"] or "", hashes, asked_by)
