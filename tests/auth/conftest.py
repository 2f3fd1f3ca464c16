"""What the tests of the auth service share."""

from functools import partial

import pytest

from ostiary_auth.tools import AuthTools, Desk
from ostiary_shared.database import Sessions
from ostiary_shared.work import Caller, open_work


@pytest.fixture
def desk(sessions: Sessions, tools: AuthTools) -> Desk:
    """The desk of flows that hash, and a way to a work at any moment."""
    caller = Caller(ip="192.0.2.7", user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")

    async def here() -> Caller:
        return caller

    return Desk(tools, partial(open_work, sessions, tools=tools, caller=caller), here)
