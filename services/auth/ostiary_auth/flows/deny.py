"""Keeping a refusal: a row for a known person, a sealed code for a stranger, so that strangers fill no table."""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from ostiary_auth.flows import sealed
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Decision
from ostiary_shared.store import denials

SEALED = "s-"
MAX_SEALED_URL = 300
_BOUND = b"ostiary denial 1"
# What most sealed refusals consist of: with it, a code is a third as long. Any change makes older codes unreadable.
_COMMON = (
    b'","m":"POST","u":"https://","t":"2026-0+00:00"}{"d":{"outcome":"refused","cause":"address","remedy":{"kind":'
    b'"fix-address","value":"","words":"Use the address as the site itself links it."},"steps":[{"check":"address"'
    b',"title":"Is the address written the one canonical way?","passed":false,"seen":"the path holds a "open-rule"'
    b',"words":"Add a rule that opens this address.","seen":"no site is set up for : nobody may enter","remedy":"n'
    b'o rule of  covers this address{"d":{"outcome":"sign_in","cause":"session","cause":"cookie","remedy":{"kind":'
    b'"sign-in","value":"","words":"Sign in."},"steps":[{"check":"cookie","title":"Did the request carry a session'
    b'?","passed":true,"seen":"a session cookie or token","remedy":""},{"check":"session","title":"Is the session '
    b'known?","passed":false,"seen":"no session has this token","seen":"neither cookie nor token","remedy":"Sign i'
    b'n."},{"check":"rule","title":"Which rule decided?","passed":false,"seen":"rule 1 of  (/): asks for the role '
    b': asks for the permission : anyone signed in may enter","remedy":""}]},"m":"GET","u":"http://localhost","t":'
    b'"2026-'
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A refusal as it is looked up again by its code."""

    code: str
    decision: Decision
    method: str
    url: str
    at: str
    user_id: str = ""
    email: str = ""
    count: int = 1


async def keep(work: AuthWork, decision: Decision, method: str, url: str) -> str:
    """The reference under which this refusal can be explained."""
    if decision.account is None:
        return seal(work, decision, method, url)
    cause, where = denials.cause_of(decision), url.partition("?")[0]
    refusal = denials.Refusal(decision.account.id, cause, method, where, decision.to_json())
    return await denials.record(work.session, refusal, work.now)


def seal(work: AuthWork, decision: Decision, method: str, url: str) -> str:
    """A code that carries its own steps, readable by us alone."""
    at = work.now.isoformat(timespec="seconds")
    kept = {"d": decision.to_json(), "m": method[:20], "u": url.partition("?")[0][:MAX_SEALED_URL], "t": at}
    packer = zlib.compressobj(9, wbits=-15, zdict=_COMMON)
    packed = packer.compress(json.dumps(kept, separators=(",", ":")).encode()) + packer.flush()
    closed = sealed.seal(work.tools.denial_key, packed, _BOUND)
    return SEALED + urlsafe_b64encode(closed).rstrip(b"=").decode()


async def find(work: AuthWork, code: str) -> Kept | None:
    """The refusal behind a code of either kind; None when there is none, or it was tampered with."""
    if code.startswith(SEALED):
        return _unseal(work, code)
    row = await denials.find(work.session, code)
    if row is None:
        return None
    email = await denials.email_of(work.session, row)
    return Kept(
        code=f"{row.code[:4]}-{row.code[4:]}",
        decision=Decision.from_json(row.decision),
        method=row.method,
        url=row.url,
        at=row.last_at.isoformat(timespec="seconds"),
        user_id=str(row.user_id),
        email=email,
        count=row.count,
    )


def _unseal(work: AuthWork, code: str) -> Kept | None:
    text = code.removeprefix(SEALED)
    try:
        found = sealed.opened(work.tools.denial_key, urlsafe_b64decode(text + "=" * (-len(text) % 4)), _BOUND)
        if found is None:
            return None
        kept: dict[str, Any] = json.loads(zlib.decompressobj(wbits=-15, zdict=_COMMON).decompress(found.plain))
    except (ValueError, zlib.error):
        return None
    return Kept(code, Decision.from_json(kept["d"]), kept["m"], kept["u"], kept["t"])
