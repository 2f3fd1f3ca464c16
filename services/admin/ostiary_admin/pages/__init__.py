"""The HTML doors of the console."""

from quart import Blueprint

from ostiary_admin.pages import (
    audit,
    denials,
    grants,
    mail,
    overview,
    people,
    person,
    person_acts,
    roles,
    sessions,
    sites,
)
from ostiary_admin.pages.frame import context, pairs, readable

BLUEPRINTS: tuple[Blueprint, ...] = tuple(
    room.blueprint
    for room in (overview, people, person, person_acts, grants, roles, sessions, sites, denials, audit, mail)
)

__all__ = ["BLUEPRINTS", "context", "pairs", "readable"]
