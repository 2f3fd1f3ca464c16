"""The JSON doors under /api/v1: the same flows as the pages."""

from quart import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
