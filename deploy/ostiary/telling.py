"""Turns what flows, settings and the database raise into the one sentence and the exit status of a command."""

import contextlib
from collections.abc import Iterator

from asyncpg import ClientConfigurationError, InterfaceError, PostgresError
from sqlalchemy.exc import DBAPIError

from ostiary.faults import Finding, Refusal
from ostiary_shared.errors import Failure, Invalid, Misconfigured, NotFound

# What PostgreSQL says (SQLSTATE) and what to do about it.
REMEDIES = {
    "42P01": "the database has no tables yet; run ./ostiary migrate.",
    "42501": "this database user may not do that; put the URL of ostiary_owner into OSTIARY_DATABASE_URL.",
    "28P01": "the password in OSTIARY_DATABASE_URL is wrong.",
    "28000": "the database does not let this user in; is OSTIARY_DATABASE_URL right, and has ./ostiary migrate run?",
    "3D000": "the database named in OSTIARY_DATABASE_URL does not exist; create it, then run ./ostiary migrate.",
}
# What the tables insist on, by the name of the rule.
RULES = {
    "at_least_one_admin": "this would leave nobody who can administer; give somebody else the role admin first.",
    "ck_roles_name_form": "a role's name is made of small letters, digits, dots and dashes, such as team-a.",
    "fk_role_grants_role_id": "the role has been held before, so its history keeps it.",
}


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What is raised in the block ends the command with a sentence, never with a traceback."""
    try:
        yield
    except Invalid as error:
        raise Refusal(" ".join(fault.message for fault in error.errors) or error.detail) from None
    except NotFound as error:
        raise Refusal(error.detail) from None
    except Failure as error:
        raise Finding(error.detail) from None
    except Misconfigured as error:
        raise Refusal(str(error)) from None
    except (DBAPIError, PostgresError, InterfaceError) as error:
        raise _of_database(error) from None
    except OSError as error:
        if error.filename:
            raise Refusal(f"{error.filename} cannot be used: {error.strerror}.") from None
        cause = str(error) or "it took too long"  # a TimeoutError has no words
        raise Refusal(f"the database does not answer ({cause}); is OSTIARY_DATABASE_URL right?") from None


def _of_database(error: DBAPIError | PostgresError | InterfaceError) -> Refusal:
    said = error.orig if isinstance(error, DBAPIError) else error
    cause = said.__cause__ if isinstance(error, DBAPIError) and said else said  # asyncpg's own exception knows most
    if isinstance(cause, ClientConfigurationError):
        return Refusal(f"OSTIARY_DATABASE_URL must look like postgresql://user:password@host:5432/ostiary ({cause}).")
    rule, state = getattr(cause, "constraint_name", None), getattr(cause, "sqlstate", None)
    if rule in RULES:
        return Finding(RULES[rule])
    return Refusal(REMEDIES.get(str(state), f"the database refused: {str(said).splitlines()[0]}"))
