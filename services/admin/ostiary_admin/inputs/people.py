"""What may be asked and sent about people."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ostiary_admin.inputs.listing import Listing, Remark, Word
from ostiary_shared.web.forms import Input, Line, Secret

Sort = Literal["email", "-email", "name", "-name", "created", "-created", "seen", "-seen"]
Name = Annotated[Line, Field(max_length=100)]
Email = Annotated[Line, Field(min_length=1, max_length=254)]
RoleName = Annotated[Line, Field(max_length=50)]


class PeopleQuery(Listing):
    """Which people, in which order; deleted ones only by their state."""

    q: Word = ""
    sort: Sort = "email"
    role: RoleName = ""
    state: Literal["", "active", "locked", "deleted", "any"] = ""
    confirmed: Literal["", "yes", "no"] = ""


class NewPerson(Input):
    """Somebody to be created; the role `end-user` comes by itself."""

    email: Email
    name: Name = ""
    roles: Annotated[tuple[RoleName, ...], Field(max_length=50)] = ()
    reason: Remark = ""
    invite: bool = False


class PersonForm(Input):
    """The edit form of a person: blank keeps the password; without its field the address stays."""

    email: Email | None = None
    name: Name = ""
    password: Annotated[Secret, Field(max_length=1024)] = SecretStr("")


class PersonPatch(Input):
    """What shall change of a person; what is left out stays."""

    email: Email | None = None
    name: Name | None = None
    password: Annotated[Secret, Field(max_length=1024)] | None = None
