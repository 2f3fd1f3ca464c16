"""What may be sent about sites: the JSON body, and the form with its numbered rows."""

from typing import Annotated, Literal

from pydantic import Field

from ostiary_shared.web.forms import Input, Line

Name = Annotated[Line, Field(min_length=1, max_length=100)]
Host = Annotated[Line, Field(min_length=1, max_length=260)]
Cell = Annotated[Line, Field(max_length=600)]


class Rule(Input):
    """Who may enter what begins with `path_prefix`; `value` names the role or the permission."""

    path_prefix: Cell
    methods: Annotated[tuple[Cell, ...], Field(max_length=20)] = ()
    asks: Literal["anyone", "signed_in", "role", "permission"]
    value: Cell = ""


class SiteBody(Input):
    """A site with all its rules; the first that matches decides, and none matching means closed."""

    name: Name
    host: Host
    rules: Annotated[tuple[Rule, ...], Field(max_length=200)] = ()


class TryOut(Input):
    """Who opens this? `email` is a person to try it with."""

    path: Cell = ""
    method: Cell = "GET"
    email: Cell = ""


class SiteForm(Input):
    """The same as a form: the n-th of each list is the n-th row. A row without a path is left out."""

    name: Name
    host: Host
    position: Annotated[tuple[Cell, ...], Field(max_length=200)] = ()
    path: Annotated[tuple[Cell, ...], Field(max_length=200)] = ()
    methods: Annotated[tuple[Cell, ...], Field(max_length=200)] = ()
    who: Annotated[tuple[Cell, ...], Field(max_length=200)] = ()
