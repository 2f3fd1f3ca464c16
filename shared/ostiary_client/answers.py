"""What auth says when it is asked whom a session token belongs to: read strictly, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

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


def asking(token: str | None) -> dict[str, str]:
    """The headers of the question."""
    bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
    return {"Accept": "application/json", **bearer}


def read_answer(status: int, body: Mapping[str, Any]) -> SessionAnswer:
    """What an answer says; raises AuthUnavailable for any status but 200 and 401, and for what auth would not say."""
    try:
        return _read(status, body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuthUnavailable("not an answer we know") from error


def _read(status: int, body: Mapping[str, Any]) -> SessionAnswer:
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
