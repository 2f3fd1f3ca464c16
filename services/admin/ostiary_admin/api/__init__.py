"""The JSON doors under /admin/api/v1: the same flows and queries as the pages."""

from quart import Blueprint

from ostiary_admin.api import audit, denials, grants, messages, roles, sessions, sites, tokens, user_acts, users

BLUEPRINTS: tuple[Blueprint, ...] = tuple(
    room.blueprint for room in (users, user_acts, grants, roles, sessions, tokens, sites, denials, audit, messages)
)
