"""The end of everything that anybody carries, at once: after a restore or a failover, or when a secret got out."""

from dataclasses import asdict, dataclass
from typing import Any

from ostiary_auth.flows import signing_keys
from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.store import api_tokens, audit, everything, one_time_tokens, sessions
from ostiary_shared.store import signing_keys as keys
from ostiary_shared.work import Work


@dataclass(frozen=True, slots=True)
class Alive:
    """How much there is to end, or was."""

    sessions: int
    api_tokens: int
    links: int


async def count(work: AuthWork) -> Alive:
    """What is alive now."""
    return Alive(*await everything.alive(work.session, work.now))


async def end(work: AuthWork, reason: str, *, keep_api_tokens: bool = False) -> Alive:
    """End all sessions, links and codes, and API tokens unless they are kept; a new key signs. What was ended.

    Signed assertions of before are worthless as soon as verifiers read the keys anew: the old ones are not shown any
    more.
    """
    done = await withdraw(work, reason, keep_api_tokens=keep_api_tokens)
    await signing_keys.make_first(work.session, work.tools.signing_key, work.now)
    return done


async def withdraw(work: Work[Any], reason: str, *, keep_api_tokens: bool = False) -> Alive:
    """The same without a new key, which takes a secret: whoever has something to sign makes one."""
    await everything.begin(work.session)
    ended = await sessions.end_everybodys(work.session, work.now, "everything was ended by an operator")
    revoked = 0
    if not keep_api_tokens:
        revoked = await api_tokens.revoke_everybodys(work.session, work.now, "everything was ended by an operator")
    voided = await one_time_tokens.void_everybodys(work.session, work.now)
    await keys.lock(work.session)
    await keys.withdraw_all(work.session, work.now)
    done = Alive(ended, revoked, voided)
    nothing: dict[str, Any] = {}
    await audit.record(
        work, Event.EVERYTHING_ENDED, audit.Target(name="everybody"), reason=reason, changes=(asdict(done), nothing)
    )
    return done
