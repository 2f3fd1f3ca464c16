"""The one door to randomness: opaque tokens, typed codes and their digests.

A token is shown once and stored as a digest (ASVS 6.5.2); nothing here touches a database.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

# Crockford's base 32 without the letters people misread: a code survives being read aloud.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
SECRET_BYTES = 32
# What a token is for shows in how it begins: `os_…` is a session's, `oh_…` the same at one site's host alone, `osp_…` a
# program's on behalf of a person, `oc_…` a service's secret, `ot_…` a mail's or a claim link's, `ow_…` what tells a
# browser that is on its way to sign in for a site from every other.
SESSION = "os"
SITE = "oh"
PERSONAL = "osp"
CLIENT_SECRET = "oc"
ONE_TIME = "ot"
ON_ITS_WAY = "ow"
TAG_BYTES = 9
CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Token:
    """A fresh secret: `value` goes to its owner once, `digest` (SHA-256, 32 bytes) into the row."""

    value: str
    digest: bytes

    def __repr__(self) -> str:
        return "Token(***)"


class Key(tuple[bytes, ...]):
    """A key for one purpose and those before it: what is made is made with the first, and each is accepted."""

    __slots__ = ()

    @property
    def first(self) -> bytes:
        """The one that makes."""
        return self[0]

    def __repr__(self) -> str:
        return "Key(***)"


def mint(prefix: str, key: Key | None = None) -> Token:
    """A 256-bit token `prefix_…`; with `key`, ending in a short HMAC tag so that garbage is told without a look-up."""
    value = f"{prefix}_{_text(secrets.token_bytes(SECRET_BYTES))}"
    if key is not None:
        value += _tag(value, key.first)
    return Token(value, digest(value))


def digest(value: str) -> bytes:
    """What is stored of a token. Plain SHA-256 is right for 256 random bits (ASVS 6.5.2)."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def well_formed(value: str, prefix: str) -> bool:
    """Whether `value` looks like a tagged token of `prefix`; says nothing about its being genuine."""
    return _form(prefix).fullmatch(value) is not None


@lru_cache(maxsize=16)
def _form(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"{prefix}_[A-Za-z0-9_-]{{55}}")


def genuine(value: str, prefix: str, key: Key) -> bool:
    """Whether the tag of a tagged token was made with `key` or one before it. Constant time for each."""
    if not well_formed(value, prefix):
        return False
    body, tag = value[:-12], value[-12:]
    for one in key:  # noqa: SIM110 - asked with every request, and `any` takes half as long again
        if hmac.compare_digest(tag, _tag(body, one)):
            return True
    return False


def code(length: int = CODE_LENGTH) -> str:
    """A code to be typed or read aloud: 5 bits a character, 40 bits at the usual length."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(length))  # 32 divides 256


def tidy_code(typed: str) -> str:
    """What was meant by what was typed: no spaces or dashes, capitals, and no look-alike letters."""
    return re.sub(r"[\s-]", "", typed).upper().translate(MISREAD)


def code_digests(typed: str, scope: str, key: Key) -> tuple[bytes, ...]:
    """What may be stored of a typed code, first as it would be now. Keyed: 40 bits alone outlive no stolen table.

    `scope` binds the code to its purpose and address, so that it opens nothing else.
    """
    return marks(f"{scope}\0{tidy_code(typed)}", key)


def marks(text: str, key: Key) -> tuple[bytes, ...]:
    """The HMAC of a text by each of the keys, the first one's first."""
    said = text.encode("utf-8", "surrogatepass")
    return tuple(hmac.digest(one, said, "sha256") for one in key)


def derive(passphrases: tuple[str, ...], purpose: str) -> Key:
    """256-bit keys for one purpose out of the service's secrets (HMAC as a PRF, one step of RFC 5869)."""
    return Key(hmac.digest(secret.encode(), b"ostiary " + purpose.encode(), "sha256") for secret in passphrases)


def random_bytes(count: int) -> bytes:
    """`count` unguessable bytes, for salts and nonces."""
    return secrets.token_bytes(count)


def same(one: bytes, other: bytes) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(one, other)


def _tag(body: str, key: bytes) -> str:
    return _text(hmac.digest(key, body.encode(), "sha256")[:TAG_BYTES])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
