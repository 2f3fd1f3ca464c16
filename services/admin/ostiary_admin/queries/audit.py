"""The audit log: who did what to whom, when, from where, and what changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, SQLColumnExpression, and_, func, or_, select

from ostiary_admin.queries.keyset import Asked, Order, Page, Place, containing, page_of
from ostiary_admin.tools import AdminWork
from ostiary_shared.models import ApiToken, AuditEvent
from ostiary_shared.models import Receipt as Kept
from ostiary_shared.revocation import Receipt
from ostiary_shared.store.audit import ActingToken, who_acted


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events. Actor and target are an id, or part of an address or a name; days are in UTC.

    An actor may be a token, too: its id, or part of its name.
    """

    event: str = ""
    actor: str = ""
    target: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. `before` and `after` hold the changed fields only; by `token` a program acted for the actor."""

    id: UUID
    at: datetime
    event: str
    actor_id: UUID | None
    actor: str
    target_id: UUID | None
    target: str
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip: str | None
    user_agent: str
    request_id: str
    receipt: Receipt | None = None
    token: ActingToken | None = None


_EVENTS: Asked = select(
    AuditEvent.id,
    AuditEvent.at,
    AuditEvent.event,
    AuditEvent.actor_id,
    AuditEvent.actor,
    AuditEvent.target_id,
    AuditEvent.target,
    AuditEvent.reason,
    AuditEvent.before,
    AuditEvent.after,
    func.host(AuditEvent.ip),
    AuditEvent.user_agent,
    AuditEvent.request_id,
    Kept.milliseconds,
    Kept.acknowledged,
    Kept.lapsed,
).outerjoin(Kept, Kept.audit_event_id == AuditEvent.id)


async def page(work: AdminWork, wanted: Filter, place: Place) -> Page[AuditRow]:
    """Events that match, the newest first."""
    asked = _EVENTS
    if wanted.event:
        asked = asked.where(AuditEvent.event == wanted.event)
    if wanted.actor:
        asked = asked.where(_by(wanted.actor))
    if wanted.target:
        asked = asked.where(_about(AuditEvent.target_id, AuditEvent.target, wanted.target))
    if wanted.since:
        asked = asked.where(AuditEvent.at >= _midnight(wanted.since))
    if wanted.until:
        asked = asked.where(AuditEvent.at < _midnight(wanted.until) + timedelta(days=1))
    order = Order(AuditEvent.at, AuditEvent.id, descending=True, moments=True)
    return await page_of(work.session, asked, order, place, _row)


async def about(work: AdminWork, user_id: UUID, limit: int = 15) -> list[AuditRow]:
    """The latest events that a person did or that were done to them."""
    rows = await work.session.execute(
        _EVENTS.where(or_(AuditEvent.target_id == user_id, AuditEvent.actor_id == user_id))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(limit)
    )
    return [_row(row) for row in rows]


def _row(row: Row[Any]) -> AuditRow:
    facts: list[Any] = list(row)
    milliseconds, acknowledged, lapsed = facts[13:16]
    receipt = None if milliseconds is None else Receipt(milliseconds, tuple(acknowledged), tuple(lapsed))
    facts[4], token = who_acted(facts[4])
    return AuditRow(*[*facts[:13], receipt, token])


def _by(typed: str) -> ColumnElement[bool]:
    """Whom or what was typed: a token's id stands behind its owner's, whose rows an index finds."""
    theirs = _about(AuditEvent.actor_id, AuditEvent.actor, typed)
    token = _id_in(typed)
    if token is None:
        return theirs
    owner = select(ApiToken.user_id).where(ApiToken.id == token).scalar_subquery()
    return or_(theirs, and_(AuditEvent.actor_id == owner, containing(AuditEvent.actor, str(token))))


def _about(ident: SQLColumnExpression[Any], name: SQLColumnExpression[str], typed: str) -> ColumnElement[bool]:
    found = _id_in(typed)
    return containing(name, typed) if found is None else ident == found


def _id_in(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
