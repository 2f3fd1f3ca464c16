"""What may be sent about roles."""

from typing import Annotated

from pydantic import Field

from ostiary_shared.permissions import Permission
from ostiary_shared.web.forms import Input, Line

NAME = r"^[a-z0-9][a-z0-9._-]{0,49}$"
Description = Annotated[Line, Field(max_length=300)]
Permissions = Annotated[tuple[Permission, ...], Field(max_length=100)]


class RoleBody(Input):
    """What a role says of itself and permits."""

    description: Description = ""
    permissions: Permissions = ()


class NewRole(RoleBody):
    """A role with its name, which stays for good."""

    name: Annotated[Line, Field(pattern=NAME)]
