"""A living session as one small `bytes`: all that an answer is made of, some 120 bytes and the person's words."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from ostiary_shared.identity import Identity, SessionFacts

_HEAD = struct.Struct("<dqqqIB16s")
_MOMENTS_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


# The fixed part of a record as `head` gives it. UNTIL is by time.monotonic(), the other moments are microseconds since
# 1970; STANDING numbers what many sessions share; MACHINE tells an API token, whose ID is the token's.
UNTIL: Final = 0
CREATED: Final = 1
AUTHENTICATED: Final = 2
EXPIRES: Final = 3
STANDING: Final = 4
MACHINE: Final = 5
ID: Final = 6
Head = tuple[float, int, int, int, int, int, bytes]
# The words of a record as `words` gives them. HOST is where alone it counts, or nothing.
USER_ID, EMAIL, NAME, METHODS, HOST = range(5)


class Shared(Protocol):
    """What of an identity many share (`standing.Standing`)."""

    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def permissions(self) -> frozenset[str]: ...
    @property
    def assurance(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """How a living session is to be kept: until when, with which standing, and where alone it counts."""

    until: float
    standing: int
    machine: bool = False
    host: str = ""


def pack(who: Identity, kept: Kept) -> bytes:
    """The record of a living session. What is in its words must fit a header (`answers.header_safe`)."""
    session = who.session
    moments = (session.created_at, session.authenticated_at, session.idle_until())
    fixed = _HEAD.pack(kept.until, *map(_micros, moments), kept.standing, kept.machine, session.id.bytes)
    return fixed + "\n".join((str(who.id), who.email, who.name, " ".join(session.methods), kept.host)).encode()


def head(kept: bytes) -> Head:
    """The fixed part of a record."""
    return _HEAD.unpack_from(kept)


def words(kept: bytes) -> list[bytes]:
    """The texts of a record."""
    return kept[_HEAD.size :].split(b"\n")


def said(kept: bytes) -> bytes:
    """All of a record that an assertion tells: the same as long as nothing but times has changed."""
    return kept[_MOMENTS_BYTES:]


def identity(kept: bytes, shared: Shared) -> Identity:
    """Who it is; the idle time is counted in `expires_at` already."""
    found, texts = head(kept), words(kept)
    created, expires = _moment(found[CREATED]), _moment(found[EXPIRES])
    session = SessionFacts(
        id=UUID(bytes=found[ID]),
        assurance=shared.assurance,
        methods=tuple(texts[METHODS].decode().split(" ")),
        created_at=created,
        authenticated_at=_moment(found[AUTHENTICATED]),
        last_seen_at=created,
        expires_at=expires,
        idle_limit=expires - created,
        ended_at=None,
        ended_reason="",
    )
    user_id, email, name = (text.decode() for text in texts[:3])
    return Identity(UUID(user_id), email, name, shared.roles, shared.permissions, session)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
