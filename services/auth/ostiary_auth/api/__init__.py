"""The JSON doors under /api/v1: the same flows as the pages."""

from quart import Blueprint

from ostiary_auth.api import denials, jwks

BLUEPRINTS: tuple[Blueprint, ...] = (denials.blueprint, jwks.blueprint)
