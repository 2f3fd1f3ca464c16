"""The operator at work: one transaction on the database at hand, through the same flows as the services.

Everything done here is in the audit log with the operator as the actor. Whatever goes wrong ends as one sentence.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from ostiary import environments
from ostiary.faults import Finding, Refusal
from ostiary.options import Asked
from ostiary_auth import tools as auth_tools
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthWork
from ostiary_shared.database import make_engine, make_sessions
from ostiary_shared.errors import Failure, Invalid
from ostiary_shared.settings import SettingsError
from ostiary_shared.work import Caller, Work, open_work

Tools = TypeVar("Tools")
Result = TypeVar("Result")

NO_PORT = 25  # a setting has to be there; whoever acts here sends no mail, the courier does
# What PostgreSQL says (SQLSTATE) and what to do about it.
REMEDIES = {
    "42P01": "the database has no tables yet; run ./ostiary migrate.",
    "42501": "this database user may not do that; put the URL of ostiary_owner into OSTIARY_DATABASE_URL.",
    "28P01": "the password in OSTIARY_DATABASE_URL is wrong.",
    "3D000": "the database named in OSTIARY_DATABASE_URL does not exist; create it, then run ./ostiary migrate.",
}
LAST_ADMIN = "at_least_one_admin"


def as_auth(where: Asked, flow: Callable[[AuthWork], Awaitable[Result]]) -> Result:
    """Run a flow of auth. Its keys come from the environment, or from the data folder of `up`."""
    with told(), where.database() as url:
        settings = AuthSettings.load() if where.database_url else environments.auth(where.home, url, NO_PORT)
        tools = auth_tools.make_tools(settings)
        try:
            return asyncio.run(act(url, tools, flow))
        finally:
            tools.passwords.close()


async def act(url: str, tools: Tools, flow: Callable[[Work[Tools]], Awaitable[Result]]) -> Result:
    """Run a flow as the operator, in one transaction."""
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        async with open_work(make_sessions(engine), tools=tools, caller=Caller.at_the_machine()) as work:
            return await flow(work)
    finally:
        await engine.dispose()


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn what flows, settings and the database raise into the sentence and exit status of a command."""
    try:
        yield
    except Invalid as error:
        raise Refusal(" ".join(fault.message for fault in error.errors) or error.detail) from None
    except Failure as error:
        raise Finding(error.detail) from None
    except SettingsError as error:
        raise Refusal(str(error)) from None
    except DBAPIError as error:
        raise _of_database(error) from None
    except OSError as error:
        raise Refusal(f"the database does not answer ({error}); is OSTIARY_DATABASE_URL right?") from None


def _of_database(error: DBAPIError) -> Refusal:
    if LAST_ADMIN in str(error.orig):
        return Finding("this would leave nobody who can administer; give somebody else the role admin first.")
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
    return Refusal(REMEDIES.get(state, f"the database refused: {str(error.orig).splitlines()[0]}"))
