"""The forward-auth doors that reverse proxies ask."""

from quart import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
