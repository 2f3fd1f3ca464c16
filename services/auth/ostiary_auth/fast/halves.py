"""A bounded dict in two halves: when both are full the older is forgotten at once, and no key costs any bookkeeping."""

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Halves(dict[Key, Value | None]):
    """At most twice `most` values. What was kept last is there for at least the next `most` that are kept.

    `halves[key]` is None for a key that is not there. The younger half is the dict itself: nothing is quicker to ask.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._old: dict[Key, Value | None] = {}

    def __missing__(self, key: Key) -> Value | None:
        return self._old.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Keep a value, instead of the one before."""
        if len(self) >= self._most:
            self._old = dict(self)
            super().clear()
        self[key] = value

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._old = {}
