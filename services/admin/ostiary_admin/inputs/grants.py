"""What may be asked and sent about grants."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from ostiary_admin.inputs.listing import Back, Day, OfSomebody, Reason, near
from ostiary_admin.inputs.people import RoleName
from ostiary_shared.web.forms import Input

# A form sends an empty date field as an empty word.
LastDay = Annotated[Day | None, BeforeValidator(lambda typed: typed or None)]


class GrantsQuery(OfSomebody):
    """Which grants in force."""

    role: RoleName = ""


class GrantForm(Back):
    """A role for the person of the page; `until` is the last day, in UTC."""

    role: Annotated[RoleName, Field(min_length=1)]
    reason: Reason
    until: LastDay = None


class NewGrant(Input):
    """A role for somebody, until a moment or for good."""

    user: UUID
    role: Annotated[RoleName, Field(min_length=1)]
    reason: Reason
    until: Annotated[AwareDatetime, AfterValidator(near)] | None = None
