"""The operator at work: one transaction on the database at hand, through the same flows as the services.

Everything done here is in the audit log with the operator as the actor.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, cast

from ostiary.options import Asked
from ostiary.telling import told
from ostiary_shared.database import make_engine, make_sessions
from ostiary_shared.revocation import Receipt
from ostiary_shared.work import Caller, Work, open_work

if TYPE_CHECKING:  # loading what a command does not use would take longer than its work
    from ostiary_admin.tools import AdminTools, AdminWork
    from ostiary_auth.tools import AuthWork

Tools = TypeVar("Tools")
Result = TypeVar("Result")

# Queries and flows of admin use no tool: all they need is in the transaction.
NO_TOOLS = cast("AdminTools", None)
NO_PORT = 25  # a setting has to be there; whoever acts here sends no mail, the courier does


def as_auth(where: Asked, flow: Callable[["AuthWork"], Awaitable[Result]]) -> Result:
    """Run a flow of auth. Its keys come from the environment, or from the data folder of `up`."""
    return as_auth_settled(where, flow)[0]


def as_auth_settled(where: Asked, flow: Callable[["AuthWork"], Awaitable[Result]]) -> tuple[Result, Receipt | None]:
    """The same, with the receipt of what the flow took away."""
    from ostiary import environments  # noqa: PLC0415 - see above
    from ostiary_auth import tools as auth_tools  # noqa: PLC0415
    from ostiary_auth.settings import AuthSettings  # noqa: PLC0415

    with told(), where.database() as url:
        settings = AuthSettings.load() if where.database_url else environments.auth(where.home, url, NO_PORT)
        tools = auth_tools.make_tools(settings)
        try:
            return asyncio.run(_settled(url, tools, flow))
        finally:
            tools.passwords.close()


def as_admin(where: Asked, flow: Callable[["AdminWork"], Awaitable[Result]]) -> Result:
    """Run a query or flow of admin. None of them needs a key, so this works wherever the database can be reached."""
    return as_admin_settled(where, flow)[0]


def as_admin_settled(where: Asked, flow: Callable[["AdminWork"], Awaitable[Result]]) -> tuple[Result, Receipt | None]:
    """The same, with the receipt of what the flow took away."""
    with told(), where.database() as url:
        return asyncio.run(_settled(url, NO_TOOLS, flow))


def on_behalf_of_admin(work: "AuthWork") -> "AdminWork":
    """The same transaction for flows of admin, so that what both services do together is done whole or not at all."""
    return Work(work.session, work.now, work.caller, NO_TOOLS)


async def act(url: str, tools: Tools, flow: Callable[[Work[Tools]], Awaitable[Result]]) -> Result:
    """Run a flow as the operator, in one transaction."""
    return (await _settled(url, tools, flow))[0]


async def _settled(
    url: str, tools: Tools, flow: Callable[[Work[Tools]], Awaitable[Result]]
) -> tuple[Result, Receipt | None]:
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        async with open_work(make_sessions(engine), tools=tools, caller=Caller.at_the_machine()) as work:
            result = await flow(work)
        return result, work.receipt
    finally:
        await engine.dispose()
