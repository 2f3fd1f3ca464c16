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
from ostiary_admin import tools as admin_tools
from ostiary_admin.tools import AdminTools, AdminWork
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
# What the tables insist on, by the name of the rule.
RULES = {
    "at_least_one_admin": "this would leave nobody who can administer; give somebody else the role admin first.",
    "ck_roles_name_form": "a role's name is made of small letters, digits, dots and dashes, such as team-a.",
    "fk_role_grants_role_id": "the role has been held before, so its history keeps it.",
}


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


def _admin_tools(url: str) -> AdminTools:
    return admin_tools.make_tools(environments.admin_without_doors(url))


def _of_database(error: DBAPIError) -> Refusal:
    cause = getattr(error.orig, "__cause__", None)  # asyncpg's own exception, which knows more than SQLAlchemy's
    rule, state = getattr(cause, "constraint_name", None), getattr(cause, "sqlstate", None)
    if rule in RULES:
        return Finding(RULES[rule])
    return Refusal(REMEDIES.get(str(state), f"the database refused: {str(error.orig).splitlines()[0]}"))
