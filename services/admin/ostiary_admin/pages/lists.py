"""Lists in the URL: what is shown is the address, so a filtered and sorted list is a link that can be sent."""

from gettext import gettext as _
from typing import Any, TypeVar
from urllib.parse import urlencode

from quart import flash, g, request

from ostiary_admin.queries.keyset import Page, Place
from ostiary_shared.errors import Invalid
from ostiary_shared.web.forms import Input, read_query, validated
from ostiary_shared.web.paging import to_cursor

Query = TypeVar("Query", bound=Input)
MOST_NAMES = 5


async def kindly(model: type[Query]) -> Query:
    """The query as far as it makes sense: whoever mistypes an address gets the list, and a note on what was left out.

    Programs are not spared: their doors use `read_query`.
    """
    try:
        query = read_query(model)
        getattr(query, "keys", None)
    except Invalid as invalid:
        strange = {fault.field.partition(".")[0] for fault in invalid.errors}
        all_long = all(fault.message.startswith("Please use at most") for fault in invalid.errors)
    else:
        return query
    if strange & {"after", "before"}:
        strange |= {"after", "before"}  # which of the two is damaged is not told
    known = {name: request.args[name] for name in model.model_fields if request.args.get(name)}
    g.left_out = {name for name in request.args if name in strange or name not in known}
    names = ", ".join(sorted(name[:30] for name in g.left_out if request.args[name])[:MOST_NAMES])
    means_nothing = _("Something in the address means nothing here and was left out: %s.")
    said = _("Too long, and left out: %s.") if all_long else means_nothing
    await flash(said % names, "info")
    return validated(model, {name: value for name, value in known.items() if name not in strange})


def place(keys: tuple[list[Any] | None, list[Any] | None]) -> Place:
    """The page that a query's cursors ask for."""
    return Place(*keys)


def neighbours(page: Page[Any]) -> dict[str, str | None]:
    """Links to the pages around this one, with everything else in the address kept."""
    return {
        "previous": here(after=None, before=to_cursor(page.previous)) if page.previous else None,
        "next": here(before=None, after=to_cursor(page.next)) if page.next else None,
    }


def sort_links(names: tuple[str, ...], current: str) -> dict[str, dict[str, str | None]]:
    """For each column: the link that sorts by it (the other way round when it does already), and its present order."""
    links: dict[str, dict[str, str | None]] = {}
    for name in names:
        order = {name: "ascending", f"-{name}": "descending"}.get(current)
        wanted = f"-{name}" if order == "ascending" else name
        links[name] = {"href": here(sort=wanted, after=None, before=None), "order": order}
    return links


def here(**changes: str | None) -> str:
    """This page's address with some of its query changed; None takes a name out."""
    fields: dict[str, str | None] = {**request.args.to_dict(), **changes}
    left_out = g.get("left_out", set()) - set(changes)
    kept = {name: value for name, value in fields.items() if value and name not in left_out}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
