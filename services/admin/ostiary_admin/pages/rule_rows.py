"""A site's rules as numbered rows of a form: sorted by their number, dropped without a path. Needs no script."""

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import gettext as _
from itertools import zip_longest
from typing import Any

from ostiary_admin.flows.sites import At, Rule, Wanted
from ostiary_admin.inputs.sites import SiteForm
from ostiary_admin.queries.sites import RuleRow
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.permissions import Permission
from ostiary_shared.web.forms import Form

Group = tuple[str, list[tuple[str, str]]]

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
    """The site that a form asks for. Raises Invalid, naming the row, for a number that is none or there twice."""
    cells = enumerate(zip_longest(form.position, form.path, form.methods, form.who, fillvalue=""))
    filled: dict[int, Rule] = {}
    for index, (position, path, methods, who) in cells:
        if path:
            number = _number(index, position)
            if number in filled:
                words = _("There is a rule %s already. Give each its own number; they are asked in that order.")
                raise Invalid(FieldError(f"rules.{index}.position", words % number))
            filled[number] = Rule(path, _methods(methods), *_asked(index, who), at=At(index, number))
    return Wanted(form.name, form.host.lower(), tuple(filled[number] for number in sorted(filled)))


def choices(roles: list[str], meanings: Mapping[Permission, str]) -> list[Group]:
    """Whom a rule may let in, for the select of each row: by groups, the first without a name."""
    anybody = [("anyone", _("Anyone at all")), ("signed_in", _("Anyone signed in"))]
    return [
        ("", anybody),
        (_("Who has the role"), [(f"role:{name}", name) for name in roles]),
        (_("Who has the console permission"), [(f"permission:{each}", each.value) for each in meanings]),
    ]


def labels(rows: list[Row], errors: Mapping[str, str]) -> dict[str, str]:
    """The rule that each fault is about, for the summary; some faults name it themselves."""
    parts = ((key, key.split(".")) for key, message in errors.items() if not message.startswith(_("Rule ")))
    indexes = {key: int(part[1]) for key, part in parts if part[0] == "rules" and len(part) > 1}
    return {key: _("Rule %s") % rows[index].position for key, index in indexes.items() if index < len(rows)}


def _with_room(rows: list[Row]) -> list[Row]:
    return rows + [Row(str(STEP * (len(rows) + extra))) for extra in range(1, EMPTY_ROWS + 1)]


def _number(index: int, position: str) -> int:
    if not (position.isascii() and position.isdigit() and len(position) <= 6):
        words = _("Please give each rule a number; they are asked in that order.")
        raise Invalid(FieldError(f"rules.{index}.position", words))
    return int(position)


def _methods(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.upper() for word in cell.replace(",", " ").split()))


def _asked(index: int, who: str) -> tuple[str, str]:
    asks, _colon, value = who.partition(":")
    if asks not in {"anyone", "signed_in", "role", "permission"}:
        raise Invalid(FieldError(f"rules.{index}.value", _("Please choose who may enter.")))
    return asks, value
