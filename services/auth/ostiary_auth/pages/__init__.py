"""The HTML doors, one file a page. Forms in, flows called, templates out."""

from quart import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
