"""How the address of a protected site is written: the one canonical way, or not at all.

A proxy, the gate and the backend each read an address in their own way. Only an address that all of them read alike
is judged; any other is refused, never repaired (CVE-2026-63177, kubernetes/ingress-nginx#8644). Pure.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import unquote_to_bytes, urlsplit

MAX_URI = 8000
# Below this, every site's host has pages of ours (signing in for that site alone), which its proxy never asks about.
OURS = "/.ostiary/"
MAX_HOST = 253
WILDCARD = "*."

_METHOD = re.compile(r"[A-Z]{1,20}(-[A-Z]{1,20})*")
# RFC 3986 `pchar` without ";", and the four that browsers send as they are.
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,=:@/%\[\]^|]*")
_QUERY = re.compile(r"[!-\"$-~]*")
_TRIPLET = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CODED = re.compile(r"%([0-9A-Fa-f]{2})")
_DOUBLE = re.compile(r"%25[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NEVER_CODED = (
    (frozenset({*range(0x20), 0x7F}), "a control character is encoded"),
    (frozenset(b"/\\;"), "a slash, a backslash or a semicolon is encoded"),
    (_UNRESERVED, "a character is encoded that needs no encoding"),
)
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[1-9][0-9]{0,4}))?")
_PORT = re.compile(r":[0-9]+$")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Parts:
    """A web address: scheme, `host[:port]` as written, and the path with its query."""

    scheme: str
    host: str
    uri: str


def objection_to_method(method: str) -> str | None:
    """What is wrong with a method, in words; None when it is well formed."""
    return None if _METHOD.fullmatch(method) else "the method is not written in capital letters"


def objection_to_uri(uri: str) -> str | None:
    """What is not canonical about a request's path and query, in words; None when nothing is."""
    path, asked, query = uri.partition("?")
    if len(uri) > MAX_URI:
        return f"the address is longer than {MAX_URI} characters"
    if asked and not _QUERY.fullmatch(query):
        return "the query holds a character that must be encoded"
    if not path.startswith("/"):
        return "the address does not start with a slash"
    if not _PATH.fullmatch(path):
        return "the path holds a character that must be encoded, a semicolon or a backslash"
    if path.startswith(OURS):  # judged like another page, it would lead from sign-in to sign-in without end
        return f"what lies below {OURS} is Ostiary's own: let the proxy pass it to the auth service without asking"
    return _objection_to_segments(path) or _objection_to_codes(path)


def objection_to_host(host: str) -> str | None:
    """What is not canonical about a lower-case `host[:port]`, in words; None when nothing is.

    International names come as A-labels (`xn--…`), as browsers send them.
    """
    parts = _HOST.fullmatch(host)
    if parts is None:
        return "the host is not one plain name in lower case, with or without a port"
    if parts["port"] is not None and int(parts["port"]) not in range(1, 65536):
        return "the port is not a number from 1 to 65535"
    if parts["six"] is not None:
        return _objection_to_ipv6(parts["six"])
    if len(parts["name"]) > MAX_HOST or not all(_LABEL.fullmatch(label) for label in parts["name"].split(".")):
        return "the host is not a name as browsers write it"
    return None


def objection_to_site(host: str) -> str | None:
    """The same for the entry of a site, which may begin with `*.` for every name with one label in its place.

    A wildcard covers what one in a certificate does (RFC 9525, 6.3): `*.example.org` means `wiki.example.org`, neither
    `example.org` nor `a.b.example.org`. What follows it must be somebody's own: two labels at least, or localhost.
    """
    if not host.startswith(WILDCARD):
        return objection_to_host(host)
    rest = host.removeprefix(WILDCARD)
    name = rest.partition(":")[0]
    if objection := objection_to_host(rest):
        return objection
    if name.startswith("[") or name.rpartition(".")[2].isdigit():
        return "an IP address has no wildcard"
    if "." not in name and name != "localhost":
        return "behind the star there must be two parts at least, such as *.example.org"
    return None


def entries_for(host: str) -> list[str]:
    """The sites that may speak for a canonical `host[:port]`, the closest first: its own name before a wildcard."""
    bare = _PORT.sub("", host)
    port = host.removeprefix(bare)
    wild = f"{WILDCARD}{bare.partition('.')[2]}"
    names = [bare, wild] if "." in bare and not bare.startswith("[") else [bare]
    return [entry for name in names for entry in dict.fromkeys((f"{name}{port}", name))]


def parts_of(url: str) -> Parts | None:
    """The parts of a whole web address as it is typed, or None. The fragment is the browser's business."""
    try:
        found = urlsplit(url)
    except ValueError:
        return None
    if found.scheme not in {"http", "https"} or not found.netloc:
        return None
    return Parts(found.scheme, found.netloc, (found.path or "/") + (f"?{found.query}" if found.query else ""))


def without_default_port(host: str, scheme: str) -> str:
    """`host[:port]` as browsers write it: without the port that the scheme implies."""
    return host.removesuffix({"http": ":80", "https": ":443"}.get(scheme, ""))


def is_below(path: str, prefix: str) -> bool:
    """Whether a canonical path is `prefix` or lies below it, by whole segments: /edit covers /edit/x, not /editor.

    A slash at the end of the prefix makes no difference: many backends serve /edit and /edit/ alike.
    """
    wanted = _segments(prefix)
    return _segments(path)[: len(wanted)] == wanted


def is_at(path: str, other: str) -> bool:
    """Whether two canonical paths mean the same place; here, too, a slash at the end makes no difference."""
    return _segments(path) == _segments(other)


def _segments(path: str) -> list[bytes]:
    """The decoded segments, without empty ones; a canonical path hides no slash in them."""
    return [unquote_to_bytes(segment) for segment in path.split("/") if segment]


def _objection_to_segments(path: str) -> str | None:
    if "//" in path:
        return "the path holds an empty segment (//)"
    if any(segment in {".", ".."} for segment in path.split("/")):
        return "the path holds a dot segment (/./ or /../)"
    return None


def _objection_to_codes(path: str) -> str | None:
    if _TRIPLET.search(path):
        return "a percent sign is not followed by two hexadecimal digits"
    if _DOUBLE.search(path):
        return "something is encoded twice (%25 before two hexadecimal digits)"
    codes = {int(found, 16) for found in _CODED.findall(path)}
    for unwanted, objection in _NEVER_CODED:
        if codes & unwanted:
            return objection
    try:
        unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return "the decoded path is not UTF-8"
    return None


def _objection_to_ipv6(inside: str) -> str | None:
    try:
        canonical = str(IPv6Address(inside)) == inside
    except ValueError:
        canonical = False
    return None if canonical else "the IPv6 address is not written the canonical way (RFC 5952)"
