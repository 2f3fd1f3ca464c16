"""Whether a new password will do, in the same words wherever one is chosen."""

from ostiary_auth.factors.password import objection
from ostiary_auth.tools import AuthTools
from ostiary_shared import email_address
from ostiary_shared.errors import FieldError, Invalid


async def weigh_with_address(tools: AuthTools, password: str, *, email: str, name: str) -> str:
    """The address as it is kept. Raises Invalid naming all that is wrong with it and the password, or Busy."""
    faults: list[FieldError] = []
    try:
        email = email_address.parse(email)
    except Invalid as wrong:
        faults += wrong.errors
    try:
        await weigh(tools, password, email=email, name=name)
    except Invalid as wrong:
        faults += wrong.errors
    if faults:
        raise Invalid(*faults)
    return email


async def weigh(tools: AuthTools, password: str, *, email: str, name: str = "") -> None:
    """Raise Invalid on the field `password`, or Busy. What people know of the person is no part of a good one.

    ASVS 6.2.11.
    """
    _complain(await tools.passwords.objection(password, _context(email, name)))


def check(password: str, *, email: str, name: str = "") -> None:
    """The same at once, for the command line."""
    _complain(objection(password, _context(email, name)))


def _context(email: str, name: str) -> tuple[str, ...]:
    return (email, email.partition("@")[0], name, *name.split())


def _complain(problem: str | None) -> None:
    if problem:
        raise Invalid(FieldError("password", problem))
