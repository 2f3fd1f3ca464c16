"""What an app hands to the HTTP kit, so that the kit needs to know neither rows nor the other service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from quart import current_app

from ostiary_shared.access import Decision
from ostiary_shared.database import Sessions
from ostiary_shared.identity import Presented
from ostiary_shared.limit import Limit
from ostiary_shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision against a request, with what is needed to keep it on record."""

    decision: Decision
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Kit:
    """One per app. `resolve` finds what a token stands for; `deny` keeps a refusal and gives its reference."""

    settings: Settings
    sessions: Sessions
    tools: Any
    resolve: Callable[[str | None], Awaitable[Presented]]
    deny: Callable[[Refusal], Awaitable[str]]
    take: Callable[[str, Limit], Awaitable[int]]
    sign_in_path: str = "/login"


def kit() -> Kit:
    """The kit of the app that serves this request."""
    found: Kit = current_app.extensions["ostiary"]
    return found
