"""The last steps of a restore, before its commit: all that anybody carried ends, and mails of before stay unsent."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ostiary.backups.clearing import Before
from ostiary.backups.manifest import Manifest
from ostiary_auth.flows import end_everything
from ostiary_shared import clock, revocation
from ostiary_shared.events import Event
from ostiary_shared.models import Replica
from ostiary_shared.store import api_tokens, audit, messages, roles
from ostiary_shared.work import Caller, Work

REASON = "a backup was restored"
UNSENT = "dropped by a restore: it may have been sent after the backup was taken"


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended, and the session that did it: its receipt is kept beside its audit rows."""

    ended: dict[str, int]
    dropped_mails: int
    session: AsyncSession


NOTHING = Ended({}, 0, AsyncSession())


async def end(connection: AsyncConnection, before: Before, manifest: Manifest, *, keep_api_tokens: bool) -> Ended:
    """End everything, drop the mails that wait, and leave an audit row; in the transaction of `connection`.

    API tokens that are kept are those that were good both in the backup and, where there was one, in the place.
    """
    session = AsyncSession(connection, expire_on_commit=False)
    work: Work[Any] = Work(session, clock.now(), Caller.at_the_machine(), None)
    await roles.seed(session)
    done = asdict(await end_everything.withdraw(work, REASON, keep_api_tokens=keep_api_tokens))
    if keep_api_tokens and before.tokens is not None:
        done["api_tokens"] = await api_tokens.revoke_all_but(session, before.tokens, work.now, REASON)
    dropped = await messages.drop_all(session, work.now, UNSENT)
    facts = {"taken_at": manifest.taken_at.isoformat(), "release": manifest.release, "sha256": manifest.sha256}
    target = audit.Target(name=f"of {manifest.taken_at:%Y-%m-%d %H:%M} UTC")
    await audit.record(work, Event.BACKUP_RESTORED, target, changes=({}, facts))
    await _stay_in_touch(session, before)
    await session.flush()
    return Ended(done, dropped, session)


async def _stay_in_touch(session: AsyncSession, before: Before) -> None:
    """Let the replicas of this place be waited for, and never count barriers twice: one heard long ago is no answer."""
    if before.replicas:
        await session.execute(insert(Replica), before.replicas)
    await session.execute(
        text("SELECT setval('revocations', greatest(:before, (SELECT last_value FROM revocations)))"),
        {"before": max(before.barrier, 1)},
    )
    for notice in ("*", "w", "k"):
        await session.execute(select(func.pg_notify(revocation.CHANNEL, notice)))
