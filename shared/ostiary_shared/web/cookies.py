"""One cookie out of a request's Cookie headers, as bytes: nothing is unquoted, guessed or preferred. Pure and quick."""

from collections.abc import Sequence


def sole(headers: Sequence[bytes], name: bytes) -> bytes | None:
    """The value of the one cookie called `name`, None without one; empty, as nothing is, where there are two of them.

    Another host of the same domain can plant a second one (RFC 6265, 8.6), and one without a name that reads like
    ours: which of them a reader takes differs between readers, so neither is taken.
    """
    found: bytes | None = None
    for header in headers:
        if name not in header:
            continue
        for part in header.split(b";"):
            key, equals, value = part.partition(b"=")
            if key.strip() == name:
                if found is not None or not equals:
                    return b""
                found = value.strip()
    return found
