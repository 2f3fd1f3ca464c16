"""How the JSON doors answer and how their types get into the OpenAPI document. Only named fields ever leave."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from pydantic import TypeAdapter
from quart import Response, jsonify
from quart_schema import document_querystring, document_request, document_response, tag

from ostiary_admin.queries.keyset import Key, Page, Place
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.forms import Input
from ostiary_shared.web.paging import to_cursor

View = TypeVar("View", bound=Callable[..., Any])
Noted = TypeVar("Noted")
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}  # making one is slow
PROBLEMS = (401, 403, 404, 409, 422, 503)


@dataclass(frozen=True, slots=True)
class Fault:
    """A field at fault."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """RFC 9457, with our stable `code`; `reference` on every 401 and 403, `errors` where fields are at fault."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    reference: str = ""
    errors: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """An act was done, or there was nothing to do (`changed` is false)."""

    changed: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """The same, of an act that takes something away: after how long no replica grants it any more, and by whose word.

    `receipt` is null when nobody had what was taken.
    """

    changed: bool
    receipt: Receipt | None = None


def says(section: str, out: type, status: int = 200) -> Callable[[View], View]:
    """Document what a view answers, problems included."""

    def describe(view: View) -> View:
        for code in PROBLEMS:
            view = document_response(Problem, code)(view)
        return tag([section])(document_response(out, status)(view))

    return describe


def takes(body: type[Input]) -> Callable[[View], View]:
    """Document the JSON body of a view."""
    return document_request(body)


def asks(query: type[Input]) -> Callable[[View], View]:
    """Document the query of a view."""
    return document_querystring(query)


def answer(value: Any, status: int = 200) -> Response:
    """A dataclass as JSON: times in ISO 8601, ids as text."""
    response = jsonify(_adapter(type(value)).dump_python(value, mode="json"))
    response.status_code = status
    return response


def noted(kind: Callable[..., Noted], row: Any, receipt: Receipt | None) -> Noted:
    """The row as `kind`, which has one field more: the receipt."""
    return kind(*(getattr(row, field.name) for field in fields(row)), receipt)


def cursor(page: Page[Any]) -> str | None:
    """What `after` must be to get the next page; None on the last."""
    return to_cursor(page.next) if page.next else None


def place(keys: tuple[Key | None, Key | None]) -> Place:
    """The page that a query's cursors ask for."""
    return Place(*keys)


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
