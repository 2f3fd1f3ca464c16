"""The HTML doors, one file a page. Forms in, flows called, templates out."""

from ostiary_auth.pages import claim, confirm, denied, home, login, logout, signup

BLUEPRINTS = tuple(page.blueprint for page in (home, login, logout, signup, confirm, claim, denied))
