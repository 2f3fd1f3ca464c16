"""Where a browser may be sent after signing in: our own pages, and the sites we guard. Nowhere else, ever."""

import re
from urllib.parse import quote, urlsplit

# A path as browsers read it: one slash, no backslash, no control character, nothing that could become a host.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def own_path(wanted: str) -> str | None:
    """`wanted` if it is a path on our own origin, else None."""
    return wanted if len(wanted) <= 2000 and _OWN_PATH.fullmatch(wanted) else None


def foreign_host(wanted: str) -> str | None:
    """The `host[:port]` of a plain web address, lower case, or None for anything a browser might read otherwise."""
    if len(wanted) > 2000 or not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[!-\[\]-~]*)?", wanted):
        return None
    try:
        parts = urlsplit(wanted)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username is not None:
        return None
    if host.endswith("."):  # to a browser that is another origin
        return None
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{port}" if port and port != {"http": 80, "https": 443}[parts.scheme] else bracketed


def with_next(path: str, wanted: str) -> str:
    """A path of ours that remembers where the visitor wanted to go."""
    return f"{path}?next={quote(wanted, safe='')}" if wanted else path


def to_sign_in(path: str, wanted: str, *, again: bool = False) -> str:
    """The sign-in page that remembers where the visitor wanted to go. `again` asks even whoever is signed in."""
    address = with_next(path, wanted)
    return f"{address}{'&' if wanted else '?'}again=1" if again else address
