"""Reads every log line of the whole suite as production would write it, and keeps those that hold what none may."""

import json
import logging
import re
from collections import deque
from typing import Any

import structlog

from ostiary import logs
from ostiary.scrubbing import scrubber
from ostiary_auth.factors.password import Passwords
from ostiary_shared import tokens

TOKEN = re.compile(r"\bo(?:s|h|sp|c|t|w)_[\w-]{20,}|\$argon2|\beyJ[\w-]{10,}\.")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CODE = re.compile(r"\b[0-9A-Z]{8}\b")
# Our own words must be clean before the last net; what libraries and exceptions say, behind it.
OURS = "ostiary"

lines: deque[dict[str, Any]] = deque(maxlen=2000)
found: list[str] = []
codes: set[str] = set()
passwords: set[str] = set()
secrets: set[str] = set()


class Canary(logging.Handler):
    """Looks at every line."""

    def __init__(self) -> None:
        super().__init__()
        self._behind, self._before = logging.Handler(), logging.Handler()
        logs.as_json(self._behind, scrubber("test"))
        logs.as_json(self._before, lambda _logger, _name, event: event)

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        line = self._behind.format(record)
        lines.append(json.loads(line))
        look_at(line)
        if record.name.partition(".")[0] == OURS and not record.exc_info:
            said = json.loads(self._before.format(record))
            look_at(json.dumps({key: value for key, value in said.items() if key != "exception"}))


def look_at(line: str) -> None:
    """Keep a line that holds a secret or an address, or is no line."""
    told = [*TOKEN.findall(line), *ADDRESS.findall(line), *(code for code in CODE.findall(line) if code in codes)]
    told += [word for word in (*passwords, *secrets) if word in line]
    if told or "\n" in line or not line.isprintable():
        found.append(f"{told}: {line}")


def install() -> None:
    """Let all lines of this process come by."""
    logs.configure("debug", Canary())


def watch_secrets() -> None:
    """Know the passwords and codes of all tests; tokens are known by how they begin."""
    make = tokens.code

    def code(length: int = tokens.CODE_LENGTH) -> str:
        made = make(length)
        if length == tokens.CODE_LENGTH:
            codes.add(made)
        return made

    tokens.code = code
    for name in ("hash", "verify"):
        _note_passwords(name)


def _note_passwords(name: str) -> None:
    real = getattr(Passwords, name)

    async def noted(self: Passwords, *words: Any) -> Any:
        if len(words[-1]) >= 8:
            passwords.add(json.dumps(words[-1])[1:-1])
        return await real(self, *words)

    setattr(Passwords, name, noted)


def lines_of(event: str, **fields: object) -> list[dict[str, Any]]:
    """The newest lines of an event with these fields."""
    return [line for line in lines if line["event"] == event and fields.items() <= line.items()]


def reset() -> None:
    """As it was before a test that set logging up for itself."""
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []  # `force` would close pytest's own
    structlog.reset_defaults()
    install()
    root.handlers = kept
