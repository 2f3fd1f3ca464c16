"""Who is this? One HTTP call to Ostiary's auth service. Needs aiohttp and nothing else of ours.

Whatever is not a clear yes or a clear no raises AuthUnavailable: a service that cannot ask lets nobody in.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import ClientError, ClientResponse, ClientSession

MAX_ANSWER = 256 * 1024
OK = 200
UNAUTHENTICATED = 401


class AuthUnavailable(Exception):
    """The auth service did not answer, or not in its own words."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, with the roles and permissions of this moment."""

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Session:
    """The session that the token stands for. Times are aware."""

    id: UUID
    assurance: int
    methods: tuple[str, ...]
    created_at: datetime
    authenticated_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The token stands for a living session."""

    user: Person
    session: Session


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not. The reference leads to the reasons, at `/denied/REFERENCE` and in the console."""

    reference: str


SessionAnswer = SignedIn | Refused


async def fetch_session(http: ClientSession, auth_url: str, token: str | None) -> SessionAnswer:
    """Ask auth whom `token` belongs to. Never cached here; `http` should have timeouts and no cookie jar.

    Raises AuthUnavailable when there is no clear answer.
    """
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        async with http.get(f"{auth_url}/api/v1/session", headers=headers, allow_redirects=False) as response:
            return _answer(response.status, await read_object(response))
    except (ClientError, TimeoutError, OSError) as error:
        raise AuthUnavailable(f"no answer: {type(error).__name__}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuthUnavailable("not an answer we know") from error


async def read_object(response: ClientResponse) -> dict[str, Any]:
    """The JSON object of an answer; raises ValueError for anything else, and for more than 256 KiB."""
    raw = await response.content.read(MAX_ANSWER)
    while raw and len(raw) < MAX_ANSWER and (more := await response.content.read(MAX_ANSWER - len(raw))):
        raw += more
    found = json.loads(raw)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - like any other text that is no answer
    return found


def _answer(status: int, body: dict[str, Any]) -> SessionAnswer:
    if status == UNAUTHENTICATED:
        return Refused(str(body.get("reference", "")))
    if status != OK:
        raise AuthUnavailable(f"status {status}")
    user, session = body["user"], body["session"]
    return SignedIn(
        Person(
            UUID(user["id"]),
            _text(user["email"]),
            _text(user["name"]),
            tuple(user["roles"]),
            frozenset(user["permissions"]),
        ),
        Session(
            UUID(session["id"]),
            int(session["assurance"]),
            tuple(session["methods"]),
            _moment(session["created_at"]),
            _moment(session["authenticated_at"]),
            _moment(session["expires_at"]),
        ),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _moment(value: str) -> datetime:
    when = datetime.fromisoformat(value)
    if when.tzinfo is None:
        raise ValueError("a time without a zone")
    return when
