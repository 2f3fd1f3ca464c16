"""What may be sent about services: the JSON bodies, and the form where scopes are words in one line."""

from typing import Annotated

from pydantic import Field, StrictBool

from ostiary_shared.web.forms import Input, Line

Name = Annotated[Line, Field(min_length=1, max_length=100)]
Scope = Annotated[Line, Field(max_length=100)]


class NewService(Input):
    """A service that is to have credentials; `scopes` are words of yours that its tokens carry."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Field(max_length=50)] = ()


class ServiceForm(Input):
    """The same as a form."""

    name: Name
    scopes: Annotated[Line, Field(max_length=2000)] = ""


class Switch(Input):
    """Whether a service may sign in."""

    enabled: StrictBool
