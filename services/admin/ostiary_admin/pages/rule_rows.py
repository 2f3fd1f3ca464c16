"""A site's rules as numbered rows of a form: sorted by their number, dropped without a path. Needs no script."""

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import gettext as _
from itertools import zip_longest
from typing import Any

from ostiary_admin.flows.sites import Rule, Wanted
from ostiary_admin.inputs.sites import SiteForm
from ostiary_admin.queries.sites import RuleRow
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.permissions import Permission
from ostiary_shared.web.forms import Form

EMPTY_ROWS = 3
STEP = 10  # room between two numbers, so that a row moves by typing one number


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the form. `who` is what is asked, with the role or permission behind a colon."""

    position: str
    path: str = ""
    methods: str = ""
    who: str = "signed_in"


def first() -> list[Row]:
    """The rows of a new site: one that lets in whoever is signed in."""
    return _with_room([Row(str(STEP), "/", "", "signed_in")])


def of(rules: list[RuleRow]) -> list[Row]:
    """The rows of a site as it is."""
    rows = [
        Row(str(STEP * place), rule.path_prefix, ", ".join(rule.methods), f"{rule.asks}:{rule.value}".rstrip(":"))
        for place, rule in enumerate(rules, 1)
    ]
    return _with_room(rows)


def typed(form: Form[SiteForm]) -> list[Row]:
    """The rows as they were sent, right or wrong."""
    lists: list[Any] = [form.values.get(name) or [] for name in ("position", "path", "methods", "who")]
    return [Row(*(cell or "" for cell in cells)) for cells in zip_longest(*lists)] or first()


def wanted(form: SiteForm) -> Wanted:
    """The site that a form asks for. Raises Invalid for a number that is none."""
    filled = [
        (_number(position), index, Rule(path, _methods(methods), *_asked(who)))
        for index, (position, path, methods, who) in enumerate(
            zip_longest(form.position, form.path, form.methods, form.who, fillvalue="")
        )
        if path
    ]
    rules = tuple(rule for _position, _index, rule in sorted(filled, key=lambda row: row[:2]))
    return Wanted(form.name, form.host.lower(), rules)


def choices(roles: list[str], meanings: Mapping[Permission, str]) -> list[tuple[str, str]]:
    """Whom a rule may let in, for the select of each row."""
    return [
        ("anyone", _("Anyone at all")),
        ("signed_in", _("Anyone signed in")),
        *((f"role:{name}", _("Role: %s") % name) for name in roles),
        *((f"permission:{permission}", _("Permission: %s") % permission.value) for permission in meanings),
    ]


def _with_room(rows: list[Row]) -> list[Row]:
    return rows + [Row(str(STEP * (len(rows) + extra))) for extra in range(1, EMPTY_ROWS + 1)]


def _number(position: str) -> int:
    if not (position.isascii() and position.isdigit() and len(position) <= 6):
        raise Invalid(FieldError("rules", _("Please give each rule a number; they are asked in that order.")))
    return int(position)


def _methods(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.upper() for word in cell.replace(",", " ").split()))


def _asked(who: str) -> tuple[str, str]:
    asks, _colon, value = who.partition(":")
    if asks not in {"anyone", "signed_in", "role", "permission"}:
        raise Invalid(FieldError("rules", _("Please choose who may enter.")))
    return asks, value
