"""Slowing guesses and floods down.

An attempt is counted before it is checked and given back when it was right, so that parallel guesses cannot outrun the
count (ASVS 6.3.1). The keys hold digests: people type passwords into address fields.
"""

from dataclasses import dataclass

from ostiary_auth import limits
from ostiary_auth.tools import AuthTools, AuthWork
from ostiary_shared import clock, metrics
from ostiary_shared.errors import TooMany
from ostiary_shared.limit import Limit
from ostiary_shared.store import counters
from ostiary_shared.store.one_time_tokens import Purpose
from ostiary_shared.tokens import digest

EVERYBODY = "guess:everybody"


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted, and how often it may happen."""

    key: str
    limit: Limit

    @property
    def kind(self) -> str:
        """What is counted, whoever it is counted for: the first word of the key."""
        return self.key.partition(":")[0]


def guesses(email: str, device: str | None = None) -> tuple[Count, ...]:
    """A guess at the password of an address, known or not. A known device has a count of its own."""
    if device:
        return (Count(f"guess:{mark(email)}:{device}", limits.KNOWN_DEVICE_GUESSES),)
    return (Count(f"guess:{mark(email)}", limits.PASSWORD_GUESSES), Count(EVERYBODY, limits.ALL_GUESSES))


def codes(purpose: Purpose, email: str) -> tuple[Count, ...]:
    """A guess at a code mailed to an address."""
    return (Count(f"code:{purpose.value}:{mark(email)}", limits.CODE_GUESSES),)


def mark(email: str) -> str:
    """What stands for an address in a key: the same for every way of writing it."""
    return digest(email.casefold()).hex()[:32]


async def take(work: AuthWork, counts: tuple[Count, ...]) -> None:
    """Count one use of each; raises TooMany, and then none is counted."""
    for count in counts:
        wait = await counters.take(work.session, count.key, count.limit, work.now)
        if wait:
            metrics.throttled(count.kind)
            raise TooMany(wait)


async def give_back(work: AuthWork, counts: tuple[Count, ...]) -> None:
    """Take back what `take` counted: it was no guess."""
    for count in counts:
        await counters.give_back(work.session, count.key, count.limit)


async def take_alone(tools: AuthTools, counts: tuple[Count, ...]) -> None:
    """The same as `take`, without a transaction around it."""
    wait = await counters.take_each(tools.statements, {count.key: count.limit for count in counts}, clock.now())
    if wait:
        metrics.throttled(counts[0].kind)
        raise TooMany(wait)


async def give_back_alone(tools: AuthTools, counts: tuple[Count, ...]) -> None:
    """The same as `give_back`, without a transaction around it."""
    await counters.give_back_each(tools.statements, {count.key: count.limit for count in counts}, clock.now())


async def forgive(work: AuthWork, email: str) -> None:
    """Forget the guesses at an account whose password has just been replaced."""
    await counters.clear(work.session, f"guess:{mark(email)}")


async def count_stranger(work: AuthWork, about: str, email: str) -> None:
    """Count what somebody unknown tried: as much work as a row in the audit log, which strangers shall not fill."""
    await counters.take(work.session, f"stranger:{about}:{mark(email)}", limits.STRANGERS, work.now)


async def may_mail(work: AuthWork, about: str, email: str) -> bool:
    """Count a mail to an address. False: its box had enough, so none is sent, and the answer stays the same."""
    wait = await counters.take(work.session, f"mail:{about}:{mark(email)}", limits.MAILS_PER_ADDRESS, work.now)
    if wait:
        metrics.throttled("mail-address")
    return wait == 0
