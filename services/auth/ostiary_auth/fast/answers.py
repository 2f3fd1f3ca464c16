"""Ready answers: as the app would give them, written without it (tests/auth/fast compares the two)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from ostiary_auth.fast import record
from ostiary_auth.fast.ask import Headers
from ostiary_auth.fast.standing import Standing, listed
from ostiary_auth.gate.answers import IDENTITY_HEADERS

# Who passes at the gate: the values of the five identity headers.
Passed = tuple[bytes, bytes, bytes, bytes, bytes]
NOBODY: Passed = (b"", b"", b"", b"", b"")
REDIRECTS, DENIED = (302, 303), b"/denied/"
REASONS = {200: b"OK", 302: b"Found", 401: b"Unauthorized", 403: b"Forbidden", 503: b"Service Unavailable"}

_NAMES = tuple(name.lower().encode() for name in IDENTITY_HEADERS)
PROXY_HEADERS: Headers = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"0"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Cookie"),
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
    """What the app answered, to be passed on, and perhaps to be said again: `wire` is the whole response."""

    status: int
    headers: Headers
    body: bytes
    wire: bytes = field(init=False, compare=False, default=b"")
    outcome: str = field(init=False, compare=False, default="")

    def __post_init__(self) -> None:
        lines = b"".join(b"%b: %b\r\n" % header for header in self.headers)
        object.__setattr__(self, "outcome", _outcome(self.status, self.headers))
        reason = REASONS.get(self.status, b"Answer")
        object.__setattr__(self, "wire", b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (self.status, reason, lines, self.body))


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
        _uuid(head[record.ID].hex()),
        _methods(words[record.METHODS]),
        quoted(words[record.EMAIL].decode()).encode(),
        words[record.USER_ID],
        quoted(words[record.NAME].decode()).encode(),
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
        return answer.wire  # type: ignore[union-attr]

    def parts(self, answer: Answer) -> tuple[int, Headers, bytes]:
        """Status, headers and body."""
        if isinstance(answer, tuple):
            return 200, [*PROXY_HEADERS, *zip(_NAMES, answer, strict=True)], b""
        if isinstance(answer, Session):
            length = (b"content-length", b"%d" % len(answer.body))
            return 200, [*self._json_headers, length], answer.body
        return answer.status, answer.headers, answer.body


def _outcome(status: int, headers: Headers) -> str:
    """In one word what an answer means to its asker."""
    if status in REDIRECTS:
        refused = any(name == b"location" and DENIED in value for name, value in headers)
        return "refused" if refused else "sign_in"
    return {200: "allowed", 401: "sign_in", 403: "refused"}.get(status, "failed")


def _moment(micros: int) -> bytes:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().encode()


def _uuid(digits: str) -> bytes:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


@lru_cache(maxsize=100)
def _methods(words: bytes) -> bytes:
    return listed(words.decode().split(" "))
