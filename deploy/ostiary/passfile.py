"""The password of a role in a file of the form of ~/.pgpass, and the word by which the server learns another."""

import re
from dataclasses import dataclass
from pathlib import Path

from ostiary.faults import Refusal
from ostiary_shared import scram

_FIELD = r"(?:\\.|[^:\\])*"
_LINE = re.compile(rf"({_FIELD}):({_FIELD}):({_FIELD}):({_FIELD}):(.*)")


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects to which server, with the password in which file."""

    url: str
    user: str
    host: str
    passfile: Path


def with_password(text: str, login: Login, password: str) -> str:
    """The text with another password in the lines of this role at this server."""
    lines = [
        f"{':'.join(fields[:4])}:{password}" if _meant(fields, login) else line
        for line, fields in ((line, _fields(line)) for line in text.splitlines())
    ]
    return "\n".join(lines) + "\n"


def password_in(text: str, login: Login) -> str:
    """The password of this role at this server. Raises Refusal when there is none."""
    for fields in map(_fields, text.splitlines()):
        if _meant(fields, login):
            return re.sub(r"\\(.)", r"\1", fields[4])
    raise Refusal(f"{login.passfile} has no line for {login.user}; it looks like *:*:*:{login.user}:PASSWORD.")


def statement(password: str) -> str:
    """Gives the connected role this password; nobody who reads the server's log or the line learns it."""
    return f"ALTER ROLE SESSION_USER PASSWORD '{scram.verifier(password)}'"


def _fields(line: str) -> tuple[str, ...]:
    found = _LINE.fullmatch(line)
    return found.groups() if found and not line.startswith("#") else ()


def _meant(fields: tuple[str, ...], login: Login) -> bool:
    """Whether a line speaks of this role at this server; ports and databases have the same passwords."""
    return bool(fields) and fields[3] in {login.user, "*"} and fields[0] in {login.host, "*"}
