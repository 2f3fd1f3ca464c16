"""Refusals of known people: the recent ones. What is behind a code, auth explains."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from ostiary_admin.queries.keyset import Asked, Found, Order, Page, Place, page_of
from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Remedy, restated
from ostiary_shared.models import Denial, User


@dataclass(frozen=True, slots=True)
class DenialRow:
    """A refusal in the list."""

    code: str
    user_id: UUID
    email: str
    name: str
    method: str
    url: str
    remedy: str
    count: int
    last_at: datetime


async def page(work: AdminWork, user_id: UUID | None, place: Place) -> Page[DenialRow]:
    """Refusals, the latest first."""
    asked: Asked = select(
        Denial.code,
        Denial.user_id,
        User.email,
        User.name,
        Denial.method,
        Denial.url,
        Denial.decision["remedy"],
        Denial.count,
        Denial.last_at,
    ).join(User, User.id == Denial.user_id)
    if user_id:
        asked = asked.where(Denial.user_id == user_id)
    order = Order(Denial.last_at, Denial.code, descending=True, moments=True, named=True)
    return await page_of(work.session, asked, order, place, _row)


def _row(row: Found) -> DenialRow:
    code, user_id, email, name, method, url, remedy, count, last_at = row[:9]
    words = restated(Remedy(**remedy), email).words if remedy else ""
    return DenialRow(f"{code[:4]}-{code[4:]}", user_id, email, name, method, url, words, count, last_at)
