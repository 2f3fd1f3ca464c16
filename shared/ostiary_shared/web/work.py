"""One transaction in sight: `async with begin_work() as work`. Leave the block before building the answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ostiary_shared.web.caller import caller
from ostiary_shared.web.kit import kit
from ostiary_shared.work import Work, open_work


@asynccontextmanager
async def begin_work() -> AsyncIterator[Work[Any]]:
    """A unit of work on behalf of this request's caller. Returning commits, raising undoes."""
    here = kit()
    async with open_work(here.sessions, tools=here.tools, caller=await caller()) as work:
        yield work
