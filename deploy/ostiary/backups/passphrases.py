"""A short secret locked by a passphrase, in the age format (https://age-encryption.org/v1, "scrypt").

pyrage can do this, too, but takes as much memory as the machine is quick: a GiB where a container has half of one.
"""

import hashlib
import hmac
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ostiary_shared.tokens import random_bytes

WORK = 17  # 2^17 rounds of 128 MiB, what OWASP asks of scrypt
CHUNK = 1 << 16


def locked(secret: bytes, passphrase: str, work: int = WORK) -> bytes:
    """An age file with `secret` in it, for one who knows the passphrase."""
    if len(secret) > CHUNK:
        raise ValueError("only a short secret is locked in one piece")
    file_key, salt, nonce = random_bytes(16), random_bytes(16), random_bytes(16)
    password: Any = passphrase.encode()
    key = hashlib.scrypt(
        password,
        salt=b"age-encryption.org/v1/scrypt" + salt,
        n=1 << work,
        r=8,
        p=1,
        maxmem=(1 << work) * 2048,
        dklen=32,
    )
    wrapped = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
    stanza = f"-> scrypt {_text(salt)} {work}\n{_text(wrapped)}\n---"
    header = b"age-encryption.org/v1\n" + stanza.encode()
    mac = hmac.digest(_derived(file_key, b"", b"header"), header, "sha256")
    last = bytes(11) + b"\x01"  # chunk 0, and no other follows
    body = ChaCha20Poly1305(_derived(file_key, nonce, b"payload")).encrypt(last, secret, None)
    return header + b" " + _text(mac).encode() + b"\n" + nonce + body


def _derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(key)


def _text(value: bytes) -> str:
    return b64encode(value).decode().rstrip("=")
