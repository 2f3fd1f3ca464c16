"""The last net before a log line is written: what looks like a secret or a person's address is taken out of it.

Nothing of ours writes any (tests look at each line of the whole suite); this is for what libraries and the database put
into the words of their exceptions.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 2_000  # characters of a value
LONGEST_TRACEBACK = 20_000
HIDDEN = "***"
# Always our own words.
FIRST = ("timestamp", "level", "event", "service", "request_id")
OURS = frozenset({"level", "timestamp", "request_id", "service", "method", "route"})

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Our tokens, by how they begin; signed ones of ours and of others.
    (re.compile(r"\bo(?:s|h|sp|c|t|w)_[\w-]{20,}"), HIDDEN),
    (re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"\$argon2[^\s'\"]+"), HIDDEN),
    # A name and password in an address: postgresql://name:password@host, smtp://…
    (re.compile(r"(?<=://)[^\s/@:'\"]+:[^\s/'\"]*@"), f"{HIDDEN}@"),
    (
        re.compile(r"(?i)(password|passwd|secret|token|authorization|cookie)(['\"]?\s*[=:]\s*)(?!\*)[^\s,;&)}\]]+"),
        rf"\1\2{HIDDEN}",
    ),
    # The values that PostgreSQL and pydantic quote when they complain.
    (re.compile(r"(?m)^(.*DETAIL: ).*$"), rf"\1{HIDDEN}"),
    (re.compile(r"(?s)input_value=.*?(?=, input_type=|\]|$)"), f"input_value={HIDDEN}"),
)
_ADDRESS = re.compile(r"(?<![^\s@<>\"'(),;:=])[^\s@<>\"'(),;:=]+@(?:[\w-]+\.)+[\w-]+")

Processor = Callable[[Any, str, Any], Mapping[str, Any]]


def scrubbed(text: str, *, addresses: bool = False) -> str:
    """The text without secrets; with `addresses`, those of people may stay."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text if addresses else _ADDRESS.sub(HIDDEN, text)


def scrubber(service: str, *, addresses: bool = False) -> Processor:
    """The same for every value of a log line, as structlog wants it; what is endless is cut off.

    When, how grave, what and by which service stand first, so that people can read it, too.
    """

    def scrub(_logger: Any, _name: str, event: Any) -> Mapping[str, Any]:
        named = {"service": service, **event}
        ordered = {key: named[key] for key in FIRST if key in named} | named
        return {key: _value(key, value, addresses=addresses) for key, value in ordered.items()}

    return scrub


def _value(key: str, value: Any, *, addresses: bool) -> Any:
    if key in OURS or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _value("", part, addresses=addresses) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value("", part, addresses=addresses) for part in value]
    text = scrubbed(value if isinstance(value, str) else repr(value), addresses=addresses)
    limit = LONGEST_TRACEBACK if key == "exception" else LONGEST
    # Of a traceback the end says what happened.
    return text if len(text) <= limit else f"… {text[-limit:]}" if key == "exception" else f"{text[:limit]} …"
