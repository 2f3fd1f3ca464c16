"""A site's rules as numbered rows of a form: sorted by their number, dropped without a path. Needs no script."""

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import gettext as _
from itertools import zip_longest
from typing import Any

from ostiary_admin.flows.rules import At, Rule
from ostiary_admin.flows.sites import Wanted
from ostiary_admin.inputs.sites import WEEK, SiteForm
from ostiary_admin.queries.sites import RuleRow
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.networks import Network, networks_of
from ostiary_shared.permissions import Permission
from ostiary_shared.web.forms import Form

Group = tuple[str, list[tuple[str, str]]]

EMPTY_ROWS = 3
STEP = 10  # room between two numbers, so that a row moves by typing one number


COLUMNS = ("position", "path", "methods", "who", "match", "networks", "roles", "assurance", "fresh_minutes")
SEVERAL = {"any_role", "all_roles"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the form as it is typed. `who` is what is asked, with the role or permission behind a colon."""

    position: str
    path: str = ""
    methods: str = ""
    who: str = "signed_in"
    match: str = ""
    networks: str = ""
    roles: str = ""
    assurance: str = ""
    fresh_minutes: str = ""

    @property
    def special(self) -> bool:
        """Whether it asks for something that few rules ask for, so that this part of it is shown unfolded."""
        rare = (self.match not in {"", "prefix"}, self.networks, self.roles, self.assurance not in {"", "1"})
        return any(rare) or bool(self.fresh_minutes) or self.who in SEVERAL


def first() -> list[Row]:
    """The rows of a new site: one that lets in whoever is signed in."""
    return _with_room([Row(str(STEP), "/", "", "signed_in")])


def of(rules: list[RuleRow]) -> list[Row]:
    """The rows of a site as it is."""
    return _with_room([_row(STEP * place, rule) for place, rule in enumerate(rules, 1)])


def typed(form: Form[SiteForm]) -> list[Row]:
    """The rows as they were sent, right or wrong."""
    lists: list[Any] = [form.values.get(name) or [] for name in COLUMNS]
    return [Row(*(cell or "" for cell in cells)) for cells in zip_longest(*lists)] or first()


def wanted(form: SiteForm) -> Wanted:
    """The site that a form asks for. Raises Invalid, naming the row, for a number that is none or there twice."""
    filled: dict[int, Rule] = {}
    for index, cells in enumerate(zip_longest(*(getattr(form, name) for name in COLUMNS), fillvalue="")):
        row = Row(*cells)
        if row.path:
            number = _number(index, row.position)
            if number in filled:
                words = _("There is a rule %s already. Give each its own number; they are asked in that order.")
                raise Invalid(FieldError(f"rules.{index}.position", words % number))
            filled[number] = _rule(At(index, number), row)
    return Wanted(form.name, form.host.lower(), tuple(filled[number] for number in sorted(filled)))


def choices(roles: list[str], meanings: Mapping[Permission, str]) -> list[Group]:
    """Whom a rule may let in, for the select of each row: by groups, the first without a name."""
    anybody = [("anyone", _("Anyone at all")), ("signed_in", _("Anyone signed in"))]
    several = [("any_role", _("One of several roles")), ("all_roles", _("All of several roles"))]
    return [
        ("", anybody + several),
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


def _asked(index: int, who: str) -> tuple[str, str]:
    asks, _colon, value = who.partition(":")
    if asks not in {"anyone", "signed_in", "role", "permission"} | SEVERAL:
        raise Invalid(FieldError(f"rules.{index}.value", _("Please choose who may enter.")))
    return asks, value


def _row(position: int, rule: RuleRow) -> Row:
    return Row(
        position=str(position),
        path=rule.path_prefix,
        methods=", ".join(rule.methods),
        who=f"{rule.asks}:{rule.value}".rstrip(":"),
        match=rule.match,
        networks=", ".join(map(str, rule.networks)),
        roles=", ".join(rule.roles),
        assurance=str(rule.assurance),
        fresh_minutes=str(rule.fresh_minutes or ""),
    )


def _rule(at: At, row: Row) -> Rule:
    asks, value = _asked(at.index, row.who)
    return Rule(
        path_prefix=row.path,
        methods=tuple(dict.fromkeys(word.upper() for word in _words(row.methods))),
        asks=asks,
        value=value,
        match="exact" if row.match == "exact" else "prefix",
        networks=_networks(at.index, row.networks),
        roles=tuple(dict.fromkeys(_words(row.roles))),
        assurance=int(row.assurance) if row.assurance in {"2", "3"} else 1,
        fresh_minutes=_minutes(at.index, row.fresh_minutes),
        at=at,
    )


def _networks(index: int, cell: str) -> tuple[Network, ...]:
    try:
        return networks_of(_words(cell))
    except ValueError as wrong:
        raise Invalid(FieldError(f"rules.{index}.networks", _("This %s.") % wrong)) from None


def _minutes(index: int, cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 6 and 1 <= int(cell) <= WEEK):
        words = _("Please enter a number of minutes, 10080 (a week) at most, or nothing.")
        raise Invalid(FieldError(f"rules.{index}.fresh_minutes", words))
    return int(cell)


def _words(cell: str) -> list[str]:
    return cell.replace(",", " ").split()
