"""The ES256 keys under which assertions go out: made at the first start, private halves sealed, public halves shown."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from joserfc.jwk import ECKey
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_auth.flows import sealed
from ostiary_auth.tools import AuthWork
from ostiary_shared.models import SigningKey
from ostiary_shared.store import signing_keys
from ostiary_shared.tokens import Key

REREAD_AFTER = timedelta(minutes=1)


async def make_first(session: AsyncSession, sealing_key: Key, now: datetime) -> ECKey:
    """The key that signs at `now` and `sealing_key` opens; makes one when there is none, once for all processes.

    Keys that it does not open (the service's secret was changed) are retired: nobody can sign with them any more.
    """
    await signing_keys.lock(session)
    rows = await signing_keys.published(session, now)
    for row in rows:
        if (row.retired_at is None or row.retired_at > now) and opened(row, sealing_key) is None:
            await signing_keys.retire(session, row.kid, now)
    return whose_turn(rows, sealing_key, now) or await make(session, sealing_key, now, now)


async def current(work: AuthWork) -> ECKey:
    """The key to sign with; read again every minute, so that a new one is taken up without a restart."""
    keyring = work.tools.keyring
    if keyring.key is None or keyring.read_at is None or abs(work.now - keyring.read_at) >= REREAD_AFTER:
        rows = await signing_keys.published(work.session, work.now)
        keyring.key = whose_turn(rows, work.tools.signing_key, work.now)
        keyring.read_at = work.now
    # A key made just now is not kept here: this transaction may still be rolled back.
    return keyring.key or await make_first(work.session, work.tools.signing_key, work.now)


async def public_set(work: AuthWork) -> dict[str, object]:
    """The JSON Web Key Set (RFC 7517) that verifiers need."""
    return {"keys": [json.loads(row.public_jwk) for row in await signing_keys.published(work.session, work.now)]}


def whose_turn(rows: Sequence[SigningKey], sealing_key: Key, now: datetime) -> ECKey | None:
    """The key that signs at `now`: of those that have not retired and that open, the last that started.

    Without one it is the next to start, before its time: clocks differ a little, and somebody has to sign.
    """
    order = sorted((row for row in rows if row.retired_at is None or row.retired_at > now), key=_start)
    turns = [row for row in reversed(order) if row.signs_from <= now] + [row for row in order if row.signs_from > now]
    keys = (opened(row, sealing_key) for row in turns)
    return next((key for key in keys if key is not None), None)


async def make(session: AsyncSession, sealing_key: Key, now: datetime, signs_from: datetime) -> ECKey:
    """A new key, shown at once; hold the `lock`."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    kid = str(key.kid)
    private = sealed.seal(sealing_key, json.dumps(key.as_dict(private=True)).encode(), kid.encode())
    public = json.dumps(key.as_dict(private=False))
    row = SigningKey(kid=kid, public_jwk=public, sealed_private=private, created_at=now, signs_from=signs_from)
    await signing_keys.add(session, row)
    return key


def _start(row: SigningKey) -> datetime:
    return row.signs_from


def opened(row: SigningKey, sealing_key: Key) -> ECKey | None:
    """The key in a row; None when it was sealed with another secret, or for another row."""
    private = sealed.opened(sealing_key, row.sealed_private, row.kid.encode())
    return ECKey.import_key(json.loads(private.plain)) if private else None


async def reseal(session: AsyncSession, sealing_key: Key, now: datetime) -> int:
    """Seal with the first key what one before it sealed, so that nothing needs that one; how many there were."""
    done = 0
    for row in await signing_keys.published(session, now):
        private = sealed.opened(sealing_key, row.sealed_private, row.kid.encode())
        if private is not None and private.older:
            fresh = sealed.seal(sealing_key, private.plain, row.kid.encode())
            done += await signing_keys.replace_seal(session, row.kid, row.sealed_private, fresh)
    return done
