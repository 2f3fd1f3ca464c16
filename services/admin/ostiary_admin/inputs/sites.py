"""What may be sent about sites: the JSON body, the form with its numbered rows, and questions about who may enter."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ostiary_admin.inputs.listing import Listing
from ostiary_shared.networks import Address, Network, address_of, networks_of
from ostiary_shared.web.forms import Input, Line

Name = Annotated[Line, Field(min_length=1, max_length=100)]
Host = Annotated[Line, Field(min_length=1, max_length=260)]
Cell = Annotated[Line, Field(max_length=600)]


Cells = Annotated[tuple[Cell, ...], Field(max_length=200)]
WEEK = 7 * 24 * 60


def _networks(sent: object) -> object:
    if not isinstance(sent, list):
        return sent
    return networks_of(word.strip() if isinstance(word, str) else "a number" for word in sent)


def _address(typed: str) -> str:
    if typed and address_of(typed) is None:
        raise ValueError("must be an IP address such as 192.0.2.7")
    return typed


class Rule(Input):
    """Who may enter what begins with `path_prefix`, or with `match: exact` that path alone.

    `value` names the role or the permission, `roles` those of which any or all are asked for. `networks` limit the rule
    to visitors from there. `assurance` is how strong the sign-in must be, `fresh_minutes` how old it may be.
    """

    path_prefix: Cell
    match: Literal["prefix", "exact"] = "prefix"
    methods: Annotated[tuple[Cell, ...], Field(max_length=20)] = ()
    networks: Annotated[tuple[Network, ...], Field(max_length=50), BeforeValidator(_networks)] = ()
    asks: Literal["anyone", "signed_in", "role", "any_role", "all_roles", "permission"]
    value: Cell = ""
    roles: Annotated[tuple[Cell, ...], Field(max_length=20)] = ()
    assurance: Annotated[int, Field(ge=1, le=3)] = 1
    fresh_minutes: Annotated[int, Field(ge=1, le=WEEK)] | None = None


class SiteBody(Input):
    """A site with all its rules; the first that matches decides, and none matching means closed.

    With the `version` that was read before, a change is refused (409) when somebody else made one since.
    """

    name: Name
    host: Host
    rules: Annotated[tuple[Rule, ...], Field(max_length=200)] = ()
    version: Cell = ""


class TryOut(Input):
    """Who opens this? `email` is a person to try it with, `address` where they come from."""

    path: Cell = ""
    method: Cell = "GET"
    email: Cell = ""
    address: Cell = ""


class WhoQuery(Listing):
    """Who could open this URL, coming from this address."""

    url: Annotated[Line, Field(max_length=2000)] = ""
    method: Cell = "GET"
    address: Annotated[Cell, AfterValidator(_address)] = ""

    @property
    def origin(self) -> Address | None:
        """Where they come from, if that was asked."""
        return address_of(self.address)


class SiteForm(Input):
    """The same as a form: the n-th of each list is the n-th row. A row without a path is left out."""

    name: Name
    host: Host
    version: Cell = ""
    position: Cells = ()
    path: Cells = ()
    methods: Cells = ()
    who: Cells = ()
    match: Cells = ()
    networks: Cells = ()
    roles: Cells = ()
    assurance: Cells = ()
    fresh_minutes: Cells = ()
