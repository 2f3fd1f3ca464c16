"""The JSON doors under /admin/api/v1: the same flows and queries as the pages."""

from quart import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
