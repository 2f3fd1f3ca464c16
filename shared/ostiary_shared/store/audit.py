"""The audit log: rows are only ever added, in the transaction of the act they tell of."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ostiary_shared import revocation
from ostiary_shared.events import Event
from ostiary_shared.models import AuditEvent
from ostiary_shared.work import Work


@dataclass(frozen=True, slots=True)
class Target:
    """On whom or what an act was done: an id where there is one, and a name that stays readable."""

    id: UUID | None = None
    name: str = ""


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
        actor=caller.operator or (caller.email if caller.scopes is None else f"{caller.email} (API token)"),
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
