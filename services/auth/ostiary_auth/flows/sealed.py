"""Sealing what only this service may read again (AES-256-GCM): made with the first key, opened with any."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ostiary_shared.tokens import Key, random_bytes

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """What was sealed; `older` when another key than the first opened it."""

    plain: bytes
    older: bool


def seal(key: Key, plain: bytes, bound: bytes) -> bytes:
    """Seal under a fresh nonce. It opens only where `bound` is said again, so that it cannot be moved elsewhere."""
    nonce = random_bytes(NONCE_BYTES)
    return nonce + AESGCM(key.first).encrypt(nonce, plain, bound)


def opened(key: Key, sealed: bytes, bound: bytes) -> Opened | None:
    """What was sealed; None for what no key opens: tampered with, or sealed by others or for another place."""
    for one in key:
        try:
            return Opened(AESGCM(one).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound), one != key.first)
        except (InvalidTag, ValueError):
            continue
    return None
