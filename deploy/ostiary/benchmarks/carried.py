"""What requests carry: the headers of a proxy's question, a living session's token, and ones that nobody made."""

from ostiary.benchmarks.world import HOST
from ostiary_shared import tokens

COOKIE = "ostiary"  # its name over plain HTTP
CLIENT = "192.0.2.7"


def gate_headers(token: str = "") -> dict[str, str]:
    """What a proxy tells the gate of a page that somebody wants to see."""
    headers = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": HOST,
        "X-Forwarded-Uri": "/page",
        "X-Forwarded-For": CLIENT,
    }
    return headers | cookie(token) if token else headers


def cookie(token: str) -> dict[str, str]:
    """The session cookie."""
    return {"Cookie": f"{COOKIE}={token}"}


def garbage(count: int) -> list[str]:
    """Tokens in the right form with a tag of somebody else's making."""
    return [tokens.mint(tokens.SESSION, tokens.Key((b"another key",))).value for _ in range(count)]
