"""Whether a new password will do, in the same words wherever one is chosen."""

from ostiary_auth.factors.password import objection
from ostiary_shared.errors import FieldError, Invalid


def check(password: str, *, email: str, name: str = "") -> None:
    """Raise Invalid on the field `password`. What people know of the person is no part of a good one (ASVS 6.2.11)."""
    local = email.partition("@")[0]
    problem = objection(password, (email, local, name, *name.split()))
    if problem:
        raise Invalid(FieldError("password", problem))
