"""Encryption in the age format (age-encryption.org/v1), as a stream; the tool `age` opens what is written here.

With a passphrase, a key made for this one file encrypts the dump, and the passphrase encrypts that key: age takes it
as `--identity`, as it is.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ostiary.backups import passphrases
from ostiary.faults import Finding, Refusal

RECIPIENTS, PASSPHRASE = "recipients", "passphrase"


class Reads(Protocol):
    """Anything that can be read in pieces."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writes(Protocol):
    """Anything that takes pieces."""

    def write(self, piece: bytes, /) -> int: ...

    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Seal:
    """For whom to encrypt, the manifest's word for it, and the key that only the passphrase opens."""

    kind: str
    recipients: tuple[Any, ...]
    locked_key: bytes = b""

    def encrypt(self, plain: Reads, sealed: Writes) -> None:
        """All of `plain`, a piece at a time."""
        _pyrage().encrypt_io(plain, sealed, list(self.recipients))


def seal(recipients: tuple[str, ...], passphrase: str) -> Seal | None:
    """What to encrypt with; None when nothing was asked for."""
    if recipients and passphrase:
        raise Refusal("a backup is encrypted for recipients or with a passphrase, not both; leave one out.")
    if recipients:
        found = tuple(_recipient(line) for text in recipients for line in _lines_of(text))
        if not found:
            raise Refusal(
                f"{', '.join(recipients)} names nobody to encrypt for; write a recipient into it, one a line."
            )
        return Seal(RECIPIENTS, found)
    if passphrase:
        key = _pyrage().x25519.Identity.generate()
        locked = passphrases.locked(f"{key}\n".encode(), passphrase)
        return Seal(PASSPHRASE, (key.to_public(),), locked)
    return None


def keys(kind: str, locked_key: bytes, identities: tuple[str, ...], passphrase: str) -> list[Any]:
    """What opens a backup that was sealed in this way, from the words of key files or the passphrase."""
    if kind == PASSPHRASE:
        if not passphrase:
            raise Refusal("this backup is encrypted with a passphrase; name its file with --passphrase-file.")
        try:
            return [_identity(_pyrage().passphrase.decrypt(locked_key, passphrase).decode())]
        except _pyrage().DecryptError:
            raise Refusal("this is not the passphrase that the backup was encrypted with.") from None
    if not identities:
        raise Refusal("this backup is encrypted; name the file with the key of a recipient with --identity.")
    return [_identity(key) for words in identities for key in _keys_of(words)]


def decrypt(sealed: Reads, plain: Writes, opened_by: list[Any]) -> None:
    """All of `sealed`, a piece at a time. What comes out is genuine, but may end too early: then this raises."""
    try:
        _pyrage().decrypt_io(sealed, plain, opened_by)
    except OSError as error:
        if error.errno is not None:
            raise
        raise Finding(
            "the backup is damaged: what is encrypted in it was changed or cut; nothing was changed."
        ) from None
    except _pyrage().DecryptError:
        raise Refusal(
            "none of these keys opens the backup; use --identity with the key of one of its recipients."
        ) from None


def probe(sealed: Reads, opened_by: list[Any]) -> None:
    """See that these keys open it, by its first piece."""
    with suppress(_EnoughError):
        decrypt(sealed, _First(), opened_by)


class _EnoughError(Exception):
    """The first piece came out."""


class _First:
    """Takes one piece."""

    def write(self, _piece: bytes, /) -> int:
        raise _EnoughError

    def flush(self) -> None:
        """Nothing to bring anywhere."""


def _lines_of(text: str) -> Iterator[str]:
    """A recipient, or the recipients in a file of that name, one a line."""
    path = Path(text)
    lines = path.read_text().splitlines() if not text.startswith(("age1", "ssh-")) and path.is_file() else [text]
    yield from (line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _recipient(line: str) -> Any:
    age = _pyrage()
    try:
        return age.ssh.Recipient.from_str(line) if line.startswith("ssh-") else age.x25519.Recipient.from_str(line)
    except age.RecipientError:
        raise Refusal(
            f"{line[:20]!r} is no recipient: write a public key (age1… of age-keygen, ssh-ed25519 …) or a file of them."
        ) from None


def _keys_of(words: str) -> list[str]:
    if "PRIVATE KEY-----" in words:
        return [words]
    return [line.strip() for line in words.splitlines() if line.strip() and not line.startswith("#")]


def _identity(words: str) -> Any:
    age = _pyrage()
    try:
        if "PRIVATE KEY-----" in words:
            return age.ssh.Identity.from_buffer(words.encode())
        return age.x25519.Identity.from_str(words.strip())
    except age.IdentityError:
        raise Refusal(
            "a key file holds no key that can be read: AGE-SECRET-KEY-1…, or an SSH key without a passphrase."
        ) from None


def _pyrage() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - only who encrypts needs it
    except ImportError:
        raise Refusal("encryption needs the package pyrage, which is not installed here.") from None
    return pyrage
