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
    services,
    sessions,
    sites,
    tokens,
    who_could_open,
)
from ostiary_admin.pages.frame import context, pairs, readable, until
from ostiary_admin.pages.sentences import in_force, remark, sentence

BLUEPRINTS: tuple[Blueprint, ...] = tuple(
    room.blueprint
    for room in (
        overview,
        people,
        person,
        person_acts,
        grants,
        roles,
        sessions,
        tokens,
        services,
        sites,
        who_could_open,
        denials,
        audit,
        mail,
    )
)

# What templates may call, imported macros included.
GLOBALS = {
    "pairs": pairs,
    "readable": readable,
    "sentence": sentence,
    "remark": remark,
    "in_force": in_force,
    "until": until,
}

__all__ = ["BLUEPRINTS", "GLOBALS", "context"]
