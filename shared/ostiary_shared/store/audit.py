"""The audit log: rows are only ever added, in the transaction of the act they tell of."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ostiary_shared import revocation
from ostiary_shared.events import Event
from ostiary_shared.models import AuditEvent
from ostiary_shared.store import api_tokens
from ostiary_shared.work import Caller, Work

_BY_TOKEN = re.compile(r"(\S+) \(API token (.*), ([0-9a-f-]{36})\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """On whom or what an act was done: an id where there is one, and a name that stays readable."""

    id: UUID | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ActingToken:
    """The API token of a person's by which a program acted, with the name it had."""

    id: UUID
    name: str


async def record(
    work: Work[Any],
    event: Event,
    target: Target,
    *,
    reason: str = "",
    changes: tuple[dict[str, Any], dict[str, Any]] | None = None,
) -> None:
    """Add a row for an act of the caller. `changes` is (before, after), of the fields that changed only."""
    caller = work.caller
    before, after = changes or (None, None)
    row = AuditEvent(
        at=work.now,
        event=event,
        actor_id=caller.user_id,
        actor=await _actor(work, caller),
        target_id=target.id,
        target=target.name,
        reason=reason,
        before=before,
        after=after,
        ip=caller.ip,
        user_agent=caller.user_agent[:400],
        request_id=caller.request_id,
    )
    work.session.add(row)
    await work.session.flush()
    revocation.audited(work.session, row.id)


def who_acted(actor: str) -> tuple[str, ActingToken | None]:
    """The address in what a row says of its actor, and the token, if a program acted for that person."""
    found = _BY_TOKEN.fullmatch(actor)
    return (found[1], ActingToken(UUID(found[3]), found[2])) if found else (actor, None)


async def _actor(work: Work[Any], caller: Caller) -> str:
    """Who acts, readable for ever: the token's own row is forgotten some day, and so is its name."""
    if caller.operator or caller.token_id is None:
        return caller.operator or caller.email
    row = await api_tokens.get(work.session, caller.token_id)
    return f"{caller.email} (API token {row.name if row else ''}, {caller.token_id})"
