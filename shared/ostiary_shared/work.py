"""One unit of work: one transaction, the moment it happens at, on whose behalf, and the tools of the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_shared import clock, revocation
from ostiary_shared.database import Sessions
from ostiary_shared.revocation import Receipt

Tools = TypeVar("Tools")


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from: the address after trusted proxies, the device's own words, and who is signed in.

    Where a program came with a token of theirs, `token_id` says which, and `scopes` narrows what that person may do;
    None narrows nothing.
    """

    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""
    user_id: UUID | None = None
    email: str = ""
    operator: str = ""
    scopes: frozenset[str] | None = None
    token_id: UUID | None = None

    @classmethod
    def at_the_machine(cls) -> Self:
        """The operator at the command line."""
        return cls(user_agent="command line", operator="operator")


@dataclass(slots=True)
class Aftermath:
    """What is known only after the commit."""

    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Work(Generic[Tools]):
    """What every flow gets. Leaving the block commits; an exception rolls everything back."""

    session: AsyncSession
    now: datetime
    caller: Caller
    tools: Tools
    aftermath: Aftermath = field(default_factory=Aftermath)

    @property
    def receipt(self) -> Receipt | None:
        """Once the block is left: when that was in force everywhere which this work took away, if anything."""
        return self.aftermath.receipt


@asynccontextmanager
async def open_work(sessions: Sessions, *, tools: Tools, caller: Caller) -> AsyncIterator[Work[Tools]]:
    """One transaction in sight, for `async with`. Returning commits, raising undoes.

    Leaving a block that took something away from somebody lasts until no replica grants it any more.
    """
    async with sessions.begin() as session:
        work = Work(session, clock.now(), caller, tools)
        yield work
    if revocation.marked(session):
        work.aftermath.receipt = await revocation.settle(sessions, session)
