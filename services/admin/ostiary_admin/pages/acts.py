"""One-button acts of a page: done and told, or told why not, and back to where one was (post, redirect, get)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from gettext import gettext as _
from typing import TypeVar

from quart import flash, redirect
from quart.typing import ResponseReturnValue

from ostiary_shared.errors import Conflict, FieldError, Invalid
from ostiary_shared.revocation import Receipt
from ostiary_shared.web.forms import BadBodyError, Form, Input, read_form
from ostiary_shared.web.redirects import own_path

Model = TypeVar("Model", bound=Input)


@asynccontextmanager
async def telling_conflicts() -> AsyncIterator[None]:
    """Turn what stands in the way of an act into a note on the next page instead of an error page."""
    try:
        yield
    except Conflict as conflict:
        await flash(conflict.detail, "bad")


@asynccontextmanager
async def softly() -> AsyncIterator[None]:
    """The same, and faults of fields in the note, for acts without a form that could be shown again."""
    try:
        async with telling_conflicts():
            yield
    except Invalid as invalid:
        faults = [f"{fault.field.capitalize()}: {fault.message}" for fault in invalid.errors]
        await flash(" ".join(faults) or invalid.detail, "bad")


async def tell(done: object, yes: str, no: str, receipt: Receipt | None = None) -> None:
    """Say that an act was done, and since when it counts everywhere; or that there was nothing to do."""
    await flash(said(yes, receipt) if done else no, "good" if done else "info")


def said(words: str, receipt: Receipt | None) -> str:
    """What was done, and the receipt of what it took away, if anything."""
    return f"{words} {receipt.words()}" if receipt else words


async def typed(model: type[Model]) -> Form[Model]:
    """The form of an act, right or wrong. Raises 422 for a field that the page never had."""
    sent = await read_form(model)
    strange = [name for name in sent.errors if name not in model.model_fields]
    if strange:
        raise BadBodyError(422, "invalid_input", _("There is no such field: %s.") % ", ".join(strange))
    return sent


async def fields(model: type[Model]) -> Model:
    """The form of a one-button act, where nothing is typed. Raises Invalid for a field at fault."""
    sent = await typed(model)
    if sent.data is None:
        raise Invalid(*(FieldError(name, message) for name, message in sent.errors.items()))
    return sent.data


def back(path: str, wanted: str = "") -> ResponseReturnValue:
    """To `wanted` if that is a page of ours, else to `path`; by GET, so that reloading repeats nothing."""
    return redirect((own_path(wanted) if wanted else None) or path, 303)
