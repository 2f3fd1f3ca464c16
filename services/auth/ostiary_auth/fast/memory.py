"""What this process remembers of living sessions: bounded, one packed record a token, gone at the first notice.

Nothing but `bytes` is kept, which the garbage collector never looks at. Only tokens that were found alive get in, so
that made-up ones push nobody out.
"""

from asyncio import Future  # noqa: TC003 - a word about what is kept
from collections import deque
from typing import Any

KEY_BYTES = 16  # of the token's SHA-256; the database's notices name as many
BURIED_AT_ONCE = 2_000


class Reading:
    """One look into the database for one token. What it finds must not be kept once `spoiled`."""

    __slots__ = ("found", "spoiled")

    def __init__(self) -> None:
        self.spoiled = False
        self.found: Future[Any] | None = None


class Memory:
    """Token key → record, while the lease lasts. `room` is how many records fit; none means: never from memory."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.lease_until = 0.0  # time.monotonic()
        self.records: dict[bytes, bytes] = {}
        self.used: dict[bytes, bytes] = {}  # since `take_used`; what was used is not the next to go
        self.evicted = 0
        self._order: deque[bytes] = deque()
        self._spared: set[bytes] = set()
        self._readings: dict[bytes, Reading] = {}
        self._graves: list[dict[bytes, bytes]] = []

    def reading(self, key: bytes) -> Reading | None:
        """The look into the database that is under way for this token, if a newcomer may share it."""
        return self._readings.get(key)

    def begin(self, key: bytes) -> Reading:
        """Note that the database is being asked, before it is."""
        reading = self._readings[key] = Reading()
        return reading

    def finish(self, key: bytes, reading: Reading, record: bytes | None) -> None:
        """Keep what was read, unless a notice about the token arrived since: the read may be older than it.

        Without this, one in twenty sessions that are revoked while they are read would live on in memory.
        """
        if self._readings.get(key) is reading:
            del self._readings[key]
        if record is not None and not reading.spoiled:
            self._keep(key, record)

    def forget(self, key: bytes) -> None:
        """Forget one token, also for those who are just reading it."""
        self.records.pop(key, None)
        reading = self._readings.pop(key, None)
        if reading is not None:
            reading.spoiled = True

    def forget_all(self) -> None:
        """Forget every token. The memory itself is given back bit by bit, so that nobody waits for it."""
        for reading in self._readings.values():
            reading.spoiled = True
        self._readings.clear()
        if self.records:
            self._graves.append(self.records)
            self.records = {}
            self._order = deque()

    def bury(self) -> bool:
        """Give back a little of what was forgotten; whether there is more."""
        if self._graves:
            grave = self._graves[-1]
            for _ in range(min(BURIED_AT_ONCE, len(grave))):
                grave.popitem()
            if not grave:
                self._graves.pop()
        return bool(self._graves)

    def take_used(self) -> list[bytes]:
        """The records that were used since the last call."""
        used, self.used = self.used, {}
        self._spared.clear()
        return list(used.values())

    def _keep(self, key: bytes, record: bytes) -> None:
        if self.room <= 0:
            return
        if key not in self.records:
            self._order.append(key)
        self.records[key] = record
        while len(self.records) > self.room or len(self._order) > 2 * self.room:
            self._let_go()

    def _let_go(self) -> None:
        """Drop the record that was kept first, unless it was used lately: that one gets a second chance."""
        key = self._order.popleft()
        if key in self.records and key in self.used and key not in self._spared:
            self._spared.add(key)
            self._order.append(key)
        else:
            self.evicted += self.records.pop(key, None) is not None
