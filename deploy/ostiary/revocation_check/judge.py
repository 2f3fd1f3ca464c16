"""The judge: after a revoke has returned, or a lease after one refusal, nobody may accept what was taken away. Pure.

All clients read one monotonic clock, so "after" is exact, and each answer can be judged as it comes: whatever it must
be held against was on record before it was asked. What timed out may or may not have happened, and counts both ways: it
proves nothing, and it excuses nothing.
"""

from dataclasses import dataclass, field
from enum import Enum
from math import inf

from ostiary_shared.revocation import LEASE

SHOWN = 100


class Outcome(Enum):
    """What an answer says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True, eq=False)
class Right:
    """Something that somebody holds and that can be taken away once: a token, or what it opens at one site."""

    name: str
    taken_at: float = inf
    revoked_at: float = inf
    refused_at: float = inf


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what became of it. Times are `time.monotonic()`."""

    invoked: float
    returned: float
    replica: str
    outcome: Outcome
    said: bytes = b""


@dataclass(frozen=True, slots=True)
class Violation:
    """Somebody was accepted who must not be."""

    right: str
    replica: str
    late: float
    after: str

    def words(self) -> str:
        """The violation as a sentence."""
        return f"{self.replica} accepted {self.right}, asked {1000 * self.late:.1f} ms after {self.after}"


@dataclass(slots=True)
class Judge:
    """Hears everything, and counts."""

    operations: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    after_revocation: int = 0
    revocations: int = 0
    unsure: int = 0
    wrong: int = 0
    needless: int = 0
    differed: int = 0
    violations: list[Violation] = field(default_factory=list)
    excuses: list[str] = field(default_factory=list)

    def taking(self, right: Right, invoked: float) -> None:
        """A revoke of this right has been asked for: from now on it may be gone."""
        right.taken_at = min(right.taken_at, invoked)

    def revoked(self, right: Right, returned: float) -> None:
        """A revoke of this right has returned successfully."""
        self.revocations += 1
        right.revoked_at = min(right.revoked_at, returned)

    def perhaps_revoked(self) -> None:
        """A revoke failed or never answered: it may have happened."""
        self.unsure += 1

    def heard(self, right: Right, asked: Asked) -> None:
        """An answer, or that there was none."""
        self.operations += 1
        self.after_revocation += asked.invoked > right.revoked_at
        if asked.outcome is Outcome.UNKNOWN:
            self.unknown += 1
        elif asked.outcome is Outcome.REFUSED:
            self.refused += 1
            self._note(right, asked)
        else:
            self.accepted += 1
            self._weigh(right, asked)

    def _note(self, right: Right, asked: Asked) -> None:
        """A refusal counts from now on, unless nothing can have been taken away yet: then it was one too many."""
        if asked.returned >= right.taken_at:
            right.refused_at = min(right.refused_at, asked.returned)
            return
        self.needless += 1
        if len(self.excuses) < SHOWN:
            self.excuses.append(
                f"{asked.replica} refused {right.name}: {asked.said.decode('utf-8', 'replace').strip()}"
            )

    def _weigh(self, right: Right, asked: Asked) -> None:
        # While a revoke is under way one replica may have heard of it and another not yet; but not for longer than a
        # lease, also where whoever revoked never got an answer.
        late = right.refused_at + LEASE
        self.differed += right.refused_at < asked.invoked <= min(late, right.revoked_at)
        for since, after in ((right.revoked_at, "the revoke had returned"), (late, "a lease, since it was refused")):
            if asked.invoked > since:
                self.wrong += 1
                if len(self.violations) < SHOWN:
                    self.violations.append(Violation(right.name, asked.replica, asked.invoked - since, after))
                return
