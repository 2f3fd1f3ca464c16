"""What replicas are told over the channel (migrations/versions/0002_notices.sql says by whom), and who listens here."""

from collections.abc import Callable
from dataclasses import dataclass

DIGEST_HEX = 32


@dataclass(frozen=True, slots=True)
class Ears:
    """Whom a notice concerns. Called in the order of the commits; none may wait."""

    forget: Callable[[bytes], None]
    forget_all: Callable[[], None]
    sites_changed: Callable[[], None]
    keys_changed: Callable[[], None]
    lease: Callable[[float], None]
    """Until when, in `time.monotonic()`, memory may answer; 0 is not at all."""

    def anew(self) -> None:
        """Nothing remembered can be relied on: something may have been missed."""
        self.forget_all()
        self.sites_changed()
        self.keys_changed()


@dataclass(frozen=True, slots=True)
class Echo:
    """A heartbeat, of this replica or of another."""

    replica: str
    beat: int


@dataclass(frozen=True, slots=True)
class Barrier:
    """Somebody waits until every replica has heard all that was told before this."""

    number: int


def hear(payload: str, ears: Ears) -> Echo | Barrier | None:
    """Act on a notice; a heartbeat or barrier is for the line itself. What cannot be read makes us forget all."""
    match payload.split(" "):
        case ["s", key] if len(key) == DIGEST_HEX and _is_hex(key):
            ears.forget(bytes.fromhex(key))
        case ["*"]:
            ears.forget_all()
        case ["w"]:
            ears.sites_changed()
        case ["k"]:
            ears.keys_changed()
        case ["h", replica, beat] if _is_number(beat):
            return Echo(replica, int(beat))
        case ["b", number] if _is_number(number):
            return Barrier(int(number))
        case _:
            ears.anew()
    return None


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
