"""The data folder of `up`: where it is, who holds it at the moment, and the secrets that are made in it once."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ostiary.faults import Refusal
from ostiary_shared import tokens

REPOSITORY = Path(__file__).resolve().parents[2]
UP, COMMAND = "up", "command"
PATIENCE = 15.0  # seconds
DEMO = "demo_password"
SECRETS_FILE = "secrets.json"
SECRETS = ("auth_secret_key", "admin_secret_key")


def default() -> Path:
    """`.ostiary` beside the front door; where there is none (an installed package), in the current folder."""
    return (REPOSITORY if (REPOSITORY / "ostiary").is_file() else Path.cwd()) / ".ostiary"


def opened(home: Path) -> Path:
    """The folder, made if missing and readable by nobody else; refuses one that cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / "lock").touch()
    except OSError as error:
        message = (
            f"the data folder {home} is not writable ({error.strerror}); mend that or choose another with --data DIR."
        )
        raise Refusal(message) from None
    return home.resolve()


@contextlib.contextmanager
def held(home: Path, holder: str) -> Iterator[bool]:
    """Hold the folder for this process while the block runs; False when an `up` holds it already.

    Other commands hold it for moments only, so their end is waited for.
    """
    with (home / "lock").open("r+") as lock:
        alone = _acquired(lock)
        if alone:
            lock.seek(0)
            lock.truncate()
            lock.write(holder)
            lock.flush()
        yield alone


def secrets(home: Path) -> dict[str, str]:
    """The services' keys: made at the first start, kept in a file that only its owner can read."""
    path = home / SECRETS_FILE
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in SECRETS if name not in known]
    if missing:
        known |= {name: tokens.mint("key").value for name in missing}
        _write_secrets(home, known)
    return known


def demo_password(home: Path) -> str:
    """The password of all sample people: made at the first `--demo`, the same ever after."""
    known = secrets(home)
    if DEMO not in known:
        known[DEMO] = "-".join(tokens.code(5).lower() for _ in range(4))
        _write_secrets(home, known)
    return known[DEMO]


def public_url(home: Path) -> str:
    """Where the `up` of this folder serves, or served last."""
    path = home / "address"
    return path.read_text().strip() if path.exists() else "http://localhost:8000"


def remember_public_url(home: Path, url: str) -> None:
    """Let other commands make links to where `up` serves."""
    (home / "address").write_text(url + "\n")


def _acquired(lock: IO[str]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        lock.seek(0)
        if lock.read() == UP or time.monotonic() > deadline:
            return False
        time.sleep(0.1)


def _write_secrets(home: Path, known: dict[str, str]) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    path, draft = home / SECRETS_FILE, home / (SECRETS_FILE + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(known, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
