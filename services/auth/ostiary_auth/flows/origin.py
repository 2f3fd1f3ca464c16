"""Where a sign-up came from: its password comes to life only there, whoever's mail holds the link."""

from dataclasses import dataclass

from ostiary_auth.tools import AuthTools
from ostiary_shared.tokens import marks


@dataclass(frozen=True, slots=True)
class Origin:
    """The mark that the sign-up page left with a browser; programs carry none, and their network counts instead."""

    network: str = ""
    browser: str = ""


NOWHERE = Origin()


def mark(tools: AuthTools, origin: Origin) -> bytes | None:
    """What is kept of an origin, to be compared alone; None is like no other, itself included."""
    return next(iter(any_mark(tools, origin)), None)


def any_mark(tools: AuthTools, origin: Origin) -> tuple[bytes, ...]:
    """What may have been kept of it: by this key, or by one before it."""
    if origin.browser:
        told = f"browser:{origin.browser}"
    elif origin.network:
        told = f"network:{origin.network}"
    else:
        return ()
    return marks(told, tools.origin_key)
