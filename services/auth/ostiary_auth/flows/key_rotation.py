"""One signing key follows another, on schedule or by an operator's word, and nobody's signature fails for it.

A new key is shown to verifiers before it signs, the old one for as long as anything that it signed may be met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ostiary_auth.flows import sealed, signing_keys
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import sealing_key
from ostiary_shared.database import Sessions
from ostiary_shared.events import Event
from ostiary_shared.models import SigningKey
from ostiary_shared.store import audit
from ostiary_shared.store import signing_keys as store
from ostiary_shared.tokens import Key
from ostiary_shared.work import Caller, Work, open_work

# Longer than verifiers keep the list (five minutes) and processes the key that signs (one minute).
SHOWN_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Turn:
    """When a new key signs: at once, or once every verifier has seen it; `withdraw` hides the old ones at once."""

    at_once: bool = False
    withdraw: bool = False


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key that verifiers are shown. `opens` says whether this OSTIARY_SECRET_KEY opens its private half.

    `older` is set when that takes another than the first of several.
    """

    kid: str
    created_at: datetime
    signs_from: datetime
    retired_at: datetime | None
    opens: bool
    older: bool
    signs: bool


async def shown(work: Work[Any], seal: Key) -> list[KeyState]:
    """All keys that verifiers are shown at present, the newest first."""
    rows = await store.published(work.session, work.now)
    turn = signing_keys.whose_turn(rows, seal, work.now)
    return [_state(row, seal, signs=turn is not None and turn.kid == row.kid) for row in rows]


async def rotate(work: Work[Any], seal: Key, turn: Turn, reason: str = "") -> datetime:
    """Make a key and let the others retire when it starts; when that is.

    Without `turn.withdraw` nothing fails: what the old keys signed is verified by them until it has run out.
    """
    await store.lock(work.session)
    return await _follow(work, seal, turn, reason)


async def rotate_if_due(work: Work[Any], seal: Key, age: timedelta) -> bool:
    """The same when the newest key has signed for `age`; once, however many processes ask at the same time."""
    if not _due(await store.published(work.session, work.now), work.now, age):
        return False
    await store.lock(work.session)
    if not _due(await store.published(work.session, work.now), work.now, age):
        return False
    await _follow(work, seal, Turn(), f"after {age.days} days")
    return True


async def keep_young(places: Sessions, settings: AuthSettings) -> None:
    """See to it that no key signs for longer than the settings say, nor stays sealed with a secret of before.

    Asked every few minutes, and at every start.
    """
    async with open_work(places, tools=None, caller=Caller(user_agent="schedule")) as work:
        await signing_keys.reseal(work.session, sealing_key(settings), work.now)
        await rotate_if_due(work, sealing_key(settings), timedelta(days=settings.signing_key_days))


def _state(row: SigningKey, seal: Key, *, signs: bool) -> KeyState:
    private = sealed.opened(seal, row.sealed_private, row.kid.encode())
    older = private is not None and private.older
    return KeyState(row.kid, row.created_at, row.signs_from, row.retired_at, private is not None, older, signs)


async def _follow(work: Work[Any], seal: Key, turn: Turn, reason: str) -> datetime:
    at_once = turn.at_once or turn.withdraw
    signs_from = work.now if at_once else work.now + SHOWN_BEFORE
    if turn.withdraw:
        await store.withdraw_all(work.session, work.now)
    await store.retire_all(work.session, signs_from)
    key = await signing_keys.make(work.session, seal, work.now, signs_from)
    facts = {"signs_from": signs_from.isoformat(timespec="seconds"), "withdrawn": turn.withdraw}
    target = audit.Target(name=str(key.kid))
    await audit.record(work, Event.SIGNING_KEY_MADE, target, reason=reason, changes=({}, facts))
    return signs_from


def _due(rows: Sequence[SigningKey], now: datetime, age: timedelta) -> bool:
    newest = max((row.signs_from for row in rows if row.retired_at is None), default=None)
    return newest is not None and newest + age <= now
