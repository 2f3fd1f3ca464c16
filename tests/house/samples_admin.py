"""Samples for the templates of the console: empty lists, full ones, and what somebody sees who may only read."""

from tests.house.samples import Samples

ADMIN: Samples = {}
