"""Lists in the URL: what is shown is the address, so a filtered and sorted list is a link that can be sent."""

from typing import Any
from urllib.parse import urlencode

from quart import request

from ostiary_admin.queries.keyset import Page, Place
from ostiary_shared.web.paging import to_cursor


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
    kept = {name: value for name, value in fields.items() if value}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
