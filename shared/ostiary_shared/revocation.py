"""When is a revocation in force everywhere? Whoever ends something waits here, after the commit, and gets a receipt.

Replicas answer from memory. The database tells each of them what to forget (migrations/versions/0002_notices.sql); each
acknowledges, or has lost the right to answer from memory within `LEASE`: it needs to hear its own heartbeat, and hears
it after the notice, since notices arrive in the order of their commits. So nobody's clock is compared with another's.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import delete, func, insert, select, text, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import metrics
from ostiary_shared.database import Sessions, is_away, lost_a_race
from ostiary_shared.models import Receipt as Row
from ostiary_shared.models import Replica

log = structlog.get_logger("ostiary")

CHANNEL = "ostiary"
# Seconds. A replica may answer from memory for this long after it sent the last heartbeat that it heard back.
LEASE = 1.0
_FIRST_LOOK, _LONGEST_PAUSE = 0.001, 0.02
_NOT_FOR_LONG = text("SET LOCAL lock_timeout = 50")
_MARK, _AUDITED = "ostiary-revokes", "ostiary-audited"


@dataclass(frozen=True, slots=True)
class Receipt:
    """That something is in force everywhere: after how long, and by which replicas' acknowledgement or silence."""

    milliseconds: int
    acknowledged: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, found: object) -> "Receipt | None":
        """The receipt in another service's answer; None when there is none that can be read."""
        if not isinstance(found, dict) or not isinstance(found.get("milliseconds"), int):
            return None
        heard, lapsed = ((str(name) for name in found.get(part) or ()) for part in ("acknowledged", "lapsed"))
        return cls(found["milliseconds"], tuple(heard), tuple(lapsed))

    def to_json(self) -> dict[str, object]:
        """The receipt as all our JSON has it."""
        return {
            "milliseconds": self.milliseconds,
            "acknowledged": list(self.acknowledged),
            "lapsed": list(self.lapsed),
        }

    def brief(self) -> str:
        """The receipt for somebody to whom replicas mean nothing."""
        return f"In force everywhere after {self.milliseconds} ms."

    def words(self) -> str:
        """The receipt as a sentence."""
        count = len(self.acknowledged) + len(self.lapsed)
        if not count:
            return f"In force everywhere after {self.milliseconds} ms."
        replicas = "1 replica" if count == 1 else f"{count} replicas"
        silent = f", {len(self.lapsed)} of them by silence" if self.lapsed else ""
        return f"In force everywhere after {self.milliseconds} ms: {replicas}{silent}."


def mark(session: AsyncSession) -> None:
    """Say that this transaction takes away what a replica may remember; so does every store function that does it."""
    session.info[_MARK] = True


async def mark_if_told(session: AsyncSession) -> None:
    """The same, where only the database knows: giving a first role to somebody new takes nothing from anybody."""
    if await session.scalar(select(func.current_setting("ostiary.told", true()))) == "yes":
        mark(session)


def marked(session: AsyncSession) -> bool:
    """Whether the transaction took something away."""
    return bool(session.info.get(_MARK))


def audited(session: AsyncSession, event_id: UUID) -> None:
    """Note that the transaction left this audit row: its receipt will be kept beside it."""
    session.info.setdefault(_AUDITED, []).append(event_id)


async def settle(sessions: Sessions, done: AsyncSession) -> Receipt:
    """Wait until what `done` has committed is in force everywhere: some milliseconds, `LEASE` at the most."""
    since = time.monotonic()
    try:
        receipt = await _acknowledgements(sessions, since)
        await _keep(sessions, receipt, done.info.get(_AUDITED, ()))
    except Exception as error:
        # The act is committed, and must not look as if it had failed. Whoever has not heard of it by the end of a lease
        # has not heard a heartbeat of its own either.
        if not is_away(error):
            log.exception("revocation_unfollowed")
        await asyncio.sleep(since + LEASE - time.monotonic())
        receipt = Receipt(_milliseconds(since), (), ("the database did not answer",))
    metrics.revoked(receipt.milliseconds / 1000, len(receipt.lapsed))
    return receipt


async def _acknowledgements(sessions: Sessions, since: float) -> Receipt:
    number = await _barrier(sessions)
    first = seen = await _replicas(sessions)
    # From here, not from the commit: who is given up below must have been silent for a whole lease. Whoever begins to
    # wait afterwards does not find it any more.
    deadline = time.monotonic() + LEASE
    pause = _FIRST_LOOK
    while _silent(first, seen, number) and time.monotonic() < deadline:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        seen = await _replicas(sessions)
    silent = _silent(first, seen, number)
    if silent:
        await _forget(sessions, silent)
    quiet = {replica.id for replica in silent}
    heard = tuple(replica.name for replica in first.values() if replica.id not in quiet)
    return Receipt(_milliseconds(since), heard, tuple(replica.name for replica in silent))


async def _barrier(sessions: Sessions) -> int:
    """A number that reaches every replica after all that was committed before it; higher ones come later still."""
    async with sessions.begin() as session:
        number = await session.scalar(select(func.nextval("revocations"))) or 0
        await session.execute(select(func.pg_notify(CHANNEL, f"b {number}")))
    return number


async def _replicas(sessions: Sessions) -> dict[UUID, Replica]:
    async with sessions() as session:
        return {replica.id: replica for replica in await session.scalars(select(Replica).order_by(Replica.name))}


def _silent(first: dict[UUID, Replica], seen: dict[UUID, Replica], number: int) -> list[Replica]:
    """Those who were there at the beginning and have not acknowledged. Who comes later reads what we committed."""
    return [first[key] for key, replica in seen.items() if key in first and replica.acknowledged < number]


async def _forget(sessions: Sessions, silent: Sequence[Replica]) -> None:
    """Wait no more for those that gave no sign of life the whole time. One that is back registers anew.

    A backend that froze in the middle of a heartbeat holds its row: the next one to revoke will try again.
    """
    for replica in silent:
        try:
            async with sessions.begin() as session:
                await session.execute(_NOT_FOR_LONG)
                await session.execute(delete(Replica).where(Replica.id == replica.id, Replica.beats == replica.beats))
        except DBAPIError as error:
            if not lost_a_race(error):
                raise


async def _keep(sessions: Sessions, receipt: Receipt, events: Sequence[UUID]) -> None:
    if not events:
        return
    async with sessions.begin() as session:
        await session.execute(insert(Row), [{"audit_event_id": event, **receipt.to_json()} for event in events])


def _milliseconds(since: float) -> int:
    return round(1000 * (time.monotonic() - since))
