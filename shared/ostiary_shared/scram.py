"""What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5802 and 7677), made here: the server never sees the latter.

So it stands in no statement, and in no log of statements.
"""

import base64
import hashlib
import hmac
import re

from ostiary_shared import tokens
from ostiary_shared.errors import Misconfigured

ROUNDS = 4096  # PostgreSQL's own number; the password is 256 random bits
_KEPT = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+")


def objection_to(password: str) -> str:
    """What a password has that it must not; empty when it may be used. Others would be rewritten first (RFC 4013)."""
    return "" if password.isascii() and password.isprintable() else "has characters beside printable ASCII"


def verifier(password: str) -> str:
    """What the server keeps of this password. Raises Misconfigured when there is an objection to it."""
    if objection := objection_to(password):
        raise Misconfigured(f"a password of the database {objection}; give the role another one first.")
    return _made(password, tokens.random_bytes(16), ROUNDS)


def fits(kept: str, password: str) -> bool:
    """Whether this is what a server keeps of this very password."""
    found = _KEPT.fullmatch(kept)
    if not found:
        return False
    made = _made(password, base64.b64decode(found[2]), int(found[1]))
    return hmac.compare_digest(made, kept)


def _made(password: str, salt: bytes, rounds: int) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${rounds}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
