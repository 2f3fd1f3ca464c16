"""Refusals of known people: one row a cause and hour, counted up when it happens again."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared.access import Check, Decision
from ostiary_shared.models import Denial, User
from ostiary_shared.tokens import ALPHABET, CODE_LENGTH, code, digest, tidy_code


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is kept of a refusal. `cause` tells causes apart; `decision` is `Decision.to_json()`."""

    user_id: UUID
    cause: str
    method: str
    url: str
    decision: dict[str, Any]


def cause_of(decision: Decision) -> str:
    """What makes two refusals the same: the same steps, so that those which are kept are true of all that are counted.

    Not the address: one person could make up any number of those, and each would be a row. Nor until when the session
    lives: every request moves that on.
    """
    told = [step for step in decision.steps if not (step.check is Check.ALIVE and step.passed)]
    steps = "\n".join(f"{step.check} {step.passed} {step.title} {step.seen} {step.remedy}" for step in told)
    return f"{decision.cause} · {digest(steps).hex()}"


async def record(session: AsyncSession, refusal: Refusal, now: datetime) -> str:
    """Keep a refusal, or count it up; its code, such as `7KQ2-M4XP`."""
    statement = insert(Denial).values(
        code=code(),
        user_id=refusal.user_id,
        cause=refusal.cause[:500],
        hour=now.replace(minute=0, second=0, microsecond=0),
        created_at=now,
        last_at=now,
        method=refusal.method[:20],
        url=refusal.url[:2000],
        decision=refusal.decision,
    )
    kept = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["user_id", "cause", "hour"], set_={"count": Denial.count + 1, "last_at": now}
        ).returning(Denial.code)
    )
    return f"{kept[:4]}-{kept[4:]}" if kept else ""


async def find(session: AsyncSession, typed: str) -> Denial | None:
    """The refusal with this code, however it was typed; what cannot be a code is not looked up."""
    if re.fullmatch(rf"[{ALPHABET}]{{{CODE_LENGTH}}}", tidy_code(typed)) is None:
        return None
    return await session.scalar(select(Denial).where(Denial.code == tidy_code(typed)))


async def sweep(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget up to `limit` refusals that last happened before then; how many."""
    old = select(Denial.code).where(Denial.last_at < before).limit(limit)
    return len((await session.execute(delete(Denial).where(Denial.code.in_(old)).returning(Denial.code))).all())


async def email_of(session: AsyncSession, denial: Denial) -> str:
    """The address of the person who was refused."""
    return await session.scalar(select(User.email).where(User.id == denial.user_id)) or ""
