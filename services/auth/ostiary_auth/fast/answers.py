"""Ready answers: as the app would give them, written without it (tests/auth/fast compares the two)."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ostiary_auth.fast import record
from ostiary_auth.fast.ask import Headers
from ostiary_auth.fast.standing import Standing
from ostiary_auth.gate.answers import IDENTITY_HEADERS

# Who passes at the gate: the values of the five identity headers.
Passed = tuple[bytes, bytes, bytes, bytes, bytes]
NOBODY: Passed = (b"", b"", b"", b"", b"")
REASONS = {200: b"OK", 302: b"Found", 401: b"Unauthorized", 403: b"Forbidden", 503: b"Service Unavailable"}

_NAMES = tuple(name.lower().encode() for name in IDENTITY_HEADERS)
PROXY_HEADERS: Headers = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"0"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
_PASSED = (
    b"HTTP/1.1 200 OK\r\n"
    + b"".join(b"%b: %b\r\n" % header for header in PROXY_HEADERS)
    + b"".join(b"%b: %%b\r\n" % name for name in _NAMES)
    + b"\r\n"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BODY = (
    b'{"session":{"assurance":%d,"authenticated_at":"%b","created_at":"%b","expires_at":"%b","id":"%b",'
    b'"methods":%b},"user":{"email":%b,"id":"%b","name":%b,"permissions":%b,"roles":%b}}\n'
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the app answered, to be passed on, and perhaps to be said again."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Session:
    """The body of `GET /api/v1/session`."""

    body: bytes


Answer = Passed | Session | Told


def session(kept: bytes, standing: Standing) -> Session:
    """Who is signed in, from their record."""
    head, words = record.head(kept), record.words(kept)
    body = _BODY % (
        standing.assurance,
        _moment(head[record.AUTHENTICATED]),
        _moment(head[record.CREATED]),
        _moment(head[record.EXPIRES]),
        str(UUID(bytes=head[record.ID])).encode(),
        _json(words[record.METHODS].decode().split(" ")),
        _json(words[record.EMAIL].decode()),
        words[record.USER_ID],
        _json(words[record.NAME].decode()),
        standing.permissions_json,
        standing.roles_json,
    )
    return Session(body)


class Writer:
    """Answers as bytes on the wire, and as ASGI has them. `json_headers` go with every JSON answer of the app."""

    def __init__(self, json_headers: Headers) -> None:
        self._json_headers = json_headers
        start = b"".join(b"%b: %b\r\n" % header for header in json_headers)
        self._session = b"HTTP/1.1 200 OK\r\n" + start + b"content-length: %d\r\n\r\n%b"

    def wire(self, answer: Answer) -> bytes:
        """The whole response."""
        if type(answer) is tuple:
            return _PASSED % answer
        if isinstance(answer, Session):
            return self._session % (len(answer.body), answer.body)
        return _told(answer)  # type: ignore[arg-type]

    def parts(self, answer: Answer) -> tuple[int, Headers, bytes]:
        """Status, headers and body."""
        if isinstance(answer, tuple):
            return 200, [*PROXY_HEADERS, *zip(_NAMES, answer, strict=True)], b""
        if isinstance(answer, Session):
            length = (b"content-length", b"%d" % len(answer.body))
            return 200, [*self._json_headers, length], answer.body
        return answer.status, answer.headers, answer.body


def _told(told: Told) -> bytes:
    lines = b"".join(b"%b: %b\r\n" % header for header in told.headers)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (told.status, REASONS.get(told.status, b"Answer"), lines, told.body)


def _moment(micros: int) -> bytes:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().encode()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
