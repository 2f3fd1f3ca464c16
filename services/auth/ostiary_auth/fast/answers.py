"""Ready answers: as the app would give them, written without it (tests/auth/fast compares the two)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from json.encoder import encode_basestring_ascii as quoted

from ostiary_auth.fast import record
from ostiary_auth.fast.ask import Headers
from ostiary_auth.fast.standing import Standing, listed
from ostiary_auth.gate.answers import IDENTITY_HEADERS

REDIRECTS, DENIED = (302, 303), b"/denied/"
ALLOWED = "allowed"

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
class Answer:
    """A whole response as it goes over the wire, and in one word what it means to its asker."""

    wire: bytes
    outcome: str = ALLOWED

    @property
    def status(self) -> int:
        """200, 302 and so on."""
        return int(self.wire[9:12])

    @property
    def headers(self) -> Headers:
        """Its headers, as they were written."""
        lines = self.wire.partition(b"\r\n\r\n")[0].split(b"\r\n")
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines[1:])]

    @property
    def body(self) -> bytes:
        """What follows the headers."""
        return self.wire.partition(b"\r\n\r\n")[2]


def written(status: int, headers: Headers, body: bytes) -> Answer:
    """What the app answered."""
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    wire = b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, HTTPStatus(status).phrase.encode(), lines, body)
    return Answer(wire, _outcome(status, headers))


def passed(*values: bytes) -> Answer:
    """Somebody passes at the gate: the values of the five identity headers."""
    return Answer(_PASSED % values)


NOBODY = passed(b"", b"", b"", b"", b"")


def session(kept: bytes, standing: Standing, json_headers: Headers) -> Answer:
    """Who is signed in, from their record: `GET /api/v1/session`. `json_headers` go with every JSON of the app."""
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
    return written(200, [*json_headers, (b"content-length", b"%d" % len(body))], body)


def _outcome(status: int, headers: Headers) -> str:
    """In one word what an answer means to its asker."""
    if status in REDIRECTS:
        refused = any(name == b"location" and DENIED in value for name, value in headers)
        return "refused" if refused else "sign_in"
    return {200: ALLOWED, 401: "sign_in", 403: "refused"}.get(status, "failed")


def _moment(micros: int) -> bytes:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().encode()


def _uuid(digits: str) -> bytes:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


@lru_cache(maxsize=100)
def _methods(words: bytes) -> bytes:
    return listed(words.decode().split(" "))
