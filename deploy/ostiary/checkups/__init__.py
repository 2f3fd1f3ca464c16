"""What `./ostiary doctor` looks at, one file a part of the set-up. Each check says what it saw, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check went."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found. `remedy` says what to write or to run."""

    check: str
    state: State
    saw: str
    remedy: str = ""


def fine(check: str, saw: str) -> Found:
    """As it should be."""
    return Found(check, State.FINE, saw)


def warning(check: str, saw: str, remedy: str) -> Found:
    """It works, and may not be what was meant."""
    return Found(check, State.WARNING, saw, remedy)


def fault(check: str, saw: str, remedy: str) -> Found:
    """It does not work, or it is not safe."""
    return Found(check, State.FAULT, saw, remedy)


def skipped(check: str, why: str) -> Found:
    """It could not be looked at."""
    return Found(check, State.SKIPPED, why)


def sick(found: Iterable[Found]) -> bool:
    """Whether anything is at fault."""
    return any(one.state is State.FAULT for one in found)
