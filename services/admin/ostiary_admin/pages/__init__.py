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
    tokens,
)
from ostiary_admin.pages.frame import context, pairs, readable, until
from ostiary_admin.pages.sentences import remark, sentence

BLUEPRINTS: tuple[Blueprint, ...] = tuple(
    room.blueprint
    for room in (overview, people, person, person_acts, grants, roles, sessions, tokens, sites, denials, audit, mail)
)

# What templates may call, imported macros included.
GLOBALS = {"pairs": pairs, "readable": readable, "sentence": sentence, "remark": remark, "until": until}

__all__ = ["BLUEPRINTS", "GLOBALS", "context"]
