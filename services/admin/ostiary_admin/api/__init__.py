"""The JSON doors under /admin/api/v1: the same flows and queries as the pages."""

from quart import Blueprint

from ostiary_admin.api import (
    audit,
    could_open,
    denials,
    grants,
    messages,
    roles,
    services,
    sessions,
    sites,
    tokens,
    user_acts,
    users,
    who_could_open,
)

BLUEPRINTS: tuple[Blueprint, ...] = tuple(
    room.blueprint
    for room in (
        users,
        user_acts,
        could_open,
        grants,
        roles,
        sessions,
        tokens,
        services,
        sites,
        who_could_open,
        denials,
        audit,
        messages,
    )
)
