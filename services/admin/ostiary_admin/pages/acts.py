"""One-button acts of a page: done and told, or told why not, and back to where one was (post, redirect, get)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from gettext import gettext as _
from typing import TypeVar

from quart import flash, redirect
from quart.typing import ResponseReturnValue

from ostiary_shared.errors import Conflict, FieldError, Invalid
from ostiary_shared.web.forms import BadBodyError, Input, read_form
from ostiary_shared.web.redirects import own_path

Model = TypeVar("Model", bound=Input)


@asynccontextmanager
async def softly() -> AsyncIterator[None]:
    """Turn what stands in the way of an act into a note on the next page instead of an error page."""
    try:
        yield
    except Conflict as conflict:
        await flash(conflict.detail, "bad")
    except Invalid as invalid:
        faults = [f"{fault.field.capitalize()}: {fault.message}" for fault in invalid.errors]
        await flash(" ".join(faults) or invalid.detail, "bad")


async def tell(done: object, yes: str, no: str) -> None:
    """Say that an act was done, or that there was nothing to do."""
    await flash(yes if done else no, "good" if done else "info")


async def fields(model: type[Model]) -> Model:
    """The form of a one-button act. Raises Invalid for a field at fault, and 422 for one that the page never had."""
    sent = await read_form(model)
    if sent.data is not None:
        return sent.data
    strange = [name for name in sent.errors if name not in model.model_fields]
    if strange:
        raise BadBodyError(422, "invalid_input", _("There is no such field: %s.") % ", ".join(strange))
    raise Invalid(*(FieldError(name, message) for name, message in sent.errors.items()))


def back(path: str, wanted: str = "") -> ResponseReturnValue:
    """To `wanted` if that is a page of ours, else to `path`; by GET, so that reloading repeats nothing."""
    return redirect((own_path(wanted) if wanted else None) or path, 303)
