"""Secrets as files, in a folder for each reader: nobody is given what is another's. A file that is there stays.

Passwords of the database are kept twice: where `migrate` sets them, and in the pgpass of whoever connects with them.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ostiary.faults import Refusal
from ostiary_shared import tokens

OURS, ALL = "ours", "all"


@dataclass(frozen=True, slots=True)
class File:
    """A secret: who reads it. With `like`, it is the pgpass line of this role for the password in that file."""

    path: str
    reader: str = OURS
    like: str = ""
    role: str = ""


FILES = (
    # Read by the database's own image, whose user has another number in each distribution.
    File("postgres/superuser.password", ALL),
    File("migrate/owner.password"),
    File("migrate/auth.password"),
    File("migrate/admin.password"),
    File("migrate/pgpass", like="postgres/superuser.password", role="postgres"),
    File("auth/pgpass", like="migrate/auth.password", role="ostiary_auth"),
    File("admin/pgpass", like="migrate/admin.password", role="ostiary_admin"),
    File("operator/pgpass", like="migrate/owner.password", role="ostiary_owner"),
    File("auth/secret.key"),
    File("admin/secret.key"),
    File("grafana/admin.password", ALL),
)


def complete(folder: Path, owner: int | None) -> list[str]:
    """Make what is missing; the names of what was made. With `owner` all is that user's, and our group's."""
    for file in FILES:
        missing = not (folder / file.like).exists() if file.like else False
        if missing and (folder / file.path).exists() and _sources_are_here(folder):
            raise Refusal(
                f"{folder / file.like} is gone, but {file.path} was made from it; bring it back, or delete "
                f"{folder / file.path} too: then both are made anew, and migrate sets the new password."
            )
    made = list(_made(folder, owner))
    if owner is not None:
        for reader in {Path(file.path).parts[0] for file in FILES}:
            give(folder / reader, owner)
    return made


def give(folder: Path, owner: int) -> None:
    """Make a folder the user's; our group may write there still, which is all we can later, without further rights."""
    if folder.stat().st_uid != owner:
        folder.chmod(0o775)
        os.chown(folder, owner, -1)


def write(path: Path, text: str, reader: str = OURS, owner: int | None = None) -> None:
    """Write the whole file or nothing; whoever reads it sees the old or the new."""
    path.parent.mkdir(mode=0o700 if owner is None else 0o755, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        os.fchmod(handle, _mode(path.name, reader, owner))
        if owner is not None and reader == OURS:
            os.fchown(handle, owner, -1)  # the group stays ours, so that we can read it without further rights
        os.fsync(handle)
    draft.replace(path)


def _made(folder: Path, owner: int | None) -> Iterator[str]:
    for file in FILES:
        path = folder / file.path
        if path.exists():
            continue
        text = _fresh()
        if file.like:
            text = f"*:*:*:{file.role}:{(folder / file.like).read_text(encoding='utf-8').strip()}"
        write(path, text, file.reader, owner)
        yield file.path


def _sources_are_here(folder: Path) -> bool:
    """Whether this folder holds the sources at all; a part of it that was handed to one reader does not."""
    return (folder / "migrate").is_dir() and (folder / "postgres").is_dir()


def _mode(name: str, reader: str, owner: int | None) -> int:
    if name == "pgpass":
        return 0o600  # libpq and asyncpg ignore one that others may read
    if owner is None:
        return 0o600
    return 0o444 if reader == ALL else 0o440


def _fresh() -> str:
    """256 random bits, without any character that a URL or a shell takes for its own."""
    return tokens.random_bytes(32).hex()
