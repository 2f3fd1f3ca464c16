"""The operator at work: one transaction on the database at hand, through the same flows as the services.

Everything done here is in the audit log with the operator as the actor.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ostiary import environments
from ostiary.options import Asked
from ostiary.telling import told
from ostiary_admin import tools as admin_tools
from ostiary_admin.tools import AdminTools, AdminWork
from ostiary_auth import tools as auth_tools
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthWork
from ostiary_shared.database import make_engine, make_sessions
from ostiary_shared.work import Caller, Work, open_work

Tools = TypeVar("Tools")
Result = TypeVar("Result")

NO_PORT = 25  # a setting has to be there; whoever acts here sends no mail, the courier does


def as_auth(where: Asked, flow: Callable[[AuthWork], Awaitable[Result]]) -> Result:
    """Run a flow of auth. Its keys come from the environment, or from the data folder of `up`."""
    with told(), where.database() as url:
        settings = AuthSettings.load() if where.database_url else environments.auth(where.home, url, NO_PORT)
        tools = auth_tools.make_tools(settings)
        try:
            return asyncio.run(act(url, tools, flow))
        finally:
            tools.passwords.close()


def as_admin(where: Asked, flow: Callable[[AdminWork], Awaitable[Result]]) -> Result:
    """Run a query or flow of admin. None of them needs a key, so this works wherever the database can be reached."""
    with told(), where.database() as url:
        return asyncio.run(act(url, _admin_tools(url), flow))


def on_behalf_of_admin(work: AuthWork) -> AdminWork:
    """The same transaction for flows of admin, so that what both services do together is done whole or not at all."""
    url = work.tools.settings.database_url.get_secret_value()
    return Work(work.session, work.now, work.caller, _admin_tools(url))


async def act(url: str, tools: Tools, flow: Callable[[Work[Tools]], Awaitable[Result]]) -> Result:
    """Run a flow as the operator, in one transaction."""
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        async with open_work(make_sessions(engine), tools=tools, caller=Caller.at_the_machine()) as work:
            return await flow(work)
    finally:
        await engine.dispose()


def _admin_tools(url: str) -> AdminTools:
    return admin_tools.make_tools(environments.admin_without_doors(url))
