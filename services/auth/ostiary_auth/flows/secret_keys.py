"""Who needs the secret keys of before still: asked before one of them is given up, and changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ostiary_auth.flows import sealed
from ostiary_shared.store import everything, replicas, signing_keys
from ostiary_shared.tokens import Key
from ostiary_shared.work import Work

# Processes go on making with the old key until they are restarted, one after the other.
ROLLING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Needs:
    """What there is at present. `ours` says whether these are the keys of auth at all: the console has its own."""

    ours: bool
    stale: tuple[str, ...]
    sealed: int
    sessions: int
    api_tokens: int
    until: datetime | None


async def needs(work: Work[Any], seal: Key, since: datetime) -> Needs:
    """Who needs another key than the first, which came first at `since`; `until` is when the last token ends."""
    rows = await signing_keys.published(work.session, work.now)
    seals = [sealed.opened(seal, row.sealed_private, row.kid.encode()) for row in rows]
    left = await everything.made_before(work.session, since + ROLLING, work.now)
    return Needs(
        ours=any(seals),
        stale=tuple(await replicas.started_before(work.session, since)),
        sealed=sum(found is not None and found.older for found in seals),
        sessions=left.sessions,
        api_tokens=left.api_tokens,
        until=left.until,
    )
