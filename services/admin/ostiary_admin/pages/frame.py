"""What every page of the console has around it: the sections that its visitor may open, and the time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import gettext as _
from typing import Any

from quart import request

from ostiary_shared import clock
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import maybe_identity
from ostiary_shared.web.templates import moment


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation: where it leads, and what it takes to open it."""

    href: str
    label: str
    icon: str
    permission: Permission


SECTIONS = (
    Section("/admin", _("Overview"), "home", Permission.USERS_READ),
    Section("/admin/users", _("People"), "people", Permission.USERS_READ),
    Section("/admin/roles", _("Roles"), "role", Permission.ROLES_READ),
    Section("/admin/sessions", _("Sessions"), "session", Permission.SESSIONS_READ),
    Section("/admin/sites", _("Sites"), "site", Permission.SITES_READ),
    Section("/admin/services", _("Services"), "shield", Permission.SERVICES_READ),
    Section("/admin/denials", _("Refusals"), "denied", Permission.DENIALS_READ),
    Section("/admin/audit", _("Audit log"), "audit", Permission.AUDIT_READ),
    Section("/admin/mail", _("Mail"), "mail", Permission.MESSAGES_READ),
)


async def context() -> dict[str, Any]:
    """Navigation for the layout, and the moment for "3 minutes ago"."""
    identity = maybe_identity()
    nav = [
        {
            "href": section.href,
            "label": section.label,
            "icon": section.icon,
            "current": _within(section.href),
        }
        for section in SECTIONS
        if identity is not None and identity.may(section.permission)
    ]
    return {"nav": nav, "home": nav[0]["href"] if nav else "/account", "now": clock.now()}


def _within(href: str) -> bool:
    return request.path == href or (href != SECTIONS[0].href and request.path.startswith(f"{href}/"))


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names as the options of a select, each its own label."""
    return [(name, name) for name in names]


def until(end: datetime) -> str:
    """Until when a role is held: a last day as it was chosen, else the moment."""
    if (end.hour, end.minute, end.second) != (0, 0, 0):
        return _("until %s") % moment(end)
    last = end - timedelta(days=1)
    return _("until the end of %s") % f"{last.day} {last:%b %Y}"


def readable(facts: dict[str, Any] | None) -> dict[str, str]:
    """The fields of an audit row for people: lists as one text, nothing as a dash."""
    return {name: _words(value) for name, value in (facts or {}).items()}


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_words, value)) or _("nothing")
    return _("nothing") if value is None or value == "" else str(value)
