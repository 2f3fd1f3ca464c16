"""The wheels of the five distributions, built from a commit: the same commit makes the same bytes."""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = ("shared", "shared/ostiary_client", "services/auth", "services/admin", "deploy")


@dataclass(frozen=True)
class Commit:
    """What is built: its name, when it was made, and which files of the working tree are not in it."""

    name: str
    made_at: datetime
    changed: tuple[str, ...]


def commit_of(revision: str) -> Commit:
    """The commit that somebody names. Raises LookupError where git knows none of that name."""
    try:
        name, seconds = _git("log", "-1", "--format=%H %ct", revision, "--").decode().split()
    except (subprocess.CalledProcessError, ValueError):
        raise LookupError(revision) from None
    changed = _git("status", "--porcelain", "-uno").decode().splitlines()
    return Commit(name, datetime.fromtimestamp(int(seconds), UTC), tuple(line[3:] for line in changed))


def build(commit: Commit, folder: Path) -> str:
    """Put the wheels into `folder`; the answer is the text of the lock that goes with them."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch)
        with tarfile.open(fileobj=io.BytesIO(_git("archive", commit.name))) as archive:
            archive.extractall(source, filter="data")
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(commit.made_at.timestamp()))}
        command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute()))
        for name in DISTRIBUTIONS:
            _run(command, source / name, environment)
        return (source / "requirements.lock").read_text()


def _run(command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"building {folder.name} failed:\n{done.stdout}{done.stderr}")


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
