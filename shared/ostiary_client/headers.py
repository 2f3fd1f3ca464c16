"""The five identity headers: told apart in every spelling, taken off every request, put back as the assertion has them.

Backends read `Remote_User` and `Remote.User` like `Remote-User`, so whoever reaches an app directly could use any.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any

from ostiary_client.identity import Identity

ASSERTION = "x-ostiary-assertion"
PLAIN = ("remote-user", "remote-email", "remote-name", "remote-groups")
OURS = frozenset({ASSERTION, *PLAIN})
_SPELLINGS = str.maketrans("_.", "--")
_IN_ENVIRON = "HTTP_X_OSTIARY_ASSERTION"
# CGI's own name for whoever a server let in; Django and others read it.
_CGI_USER = "REMOTE_USER"

Headers = list[tuple[bytes, bytes]]


def taken_off(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Headers, str]:
    """ASGI headers without ours, and the assertion that was among them: once and rightly spelled, or not at all."""
    kept: Headers = []
    found = []
    for name, value in headers:
        spelled = name.decode("latin-1").lower()
        if spelled.translate(_SPELLINGS) not in OURS:
            kept.append((name, value))
        elif spelled == ASSERTION and value:
            found.append(value.decode("latin-1"))
    return kept, found[0] if len(found) == 1 else ""


def put_back(who: Identity, assertion: str) -> Headers:
    """The five as ASGI has them."""
    return [(name.encode(), value.encode()) for name, value in _values(who, assertion)]


def take_off_environ(environ: MutableMapping[str, Any]) -> str:
    """Rid a WSGI environ of all of ours; returns the assertion. Two of them were joined by a comma, which is no JWT."""
    found = environ.get(_IN_ENVIRON, "")
    for key in list(environ):
        prefix, _, name = key.upper().partition("_")
        if key.upper() == _CGI_USER or (prefix == "HTTP" and name.lower().translate(_SPELLINGS) in OURS):
            del environ[key]
    return found if isinstance(found, str) else ""


def put_back_environ(environ: MutableMapping[str, Any], who: Identity, assertion: str) -> None:
    """The five as WSGI has them (PEP 3333: UTF-8 looks like Latin-1), and CGI's REMOTE_USER."""
    for name, value in _values(who, assertion):
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value.encode().decode("latin-1")
    environ[_CGI_USER] = who.id


def _values(who: Identity, assertion: str) -> list[tuple[str, str]]:
    texts = (who.id, who.email, who.name, ",".join(who.roles))
    return [*zip(PLAIN, map(_one_line, texts), strict=True), (ASSERTION, assertion)]


def _one_line(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)
