"""The HTML doors, one file a page. Forms in, flows called, templates out."""

from ostiary_auth.pages import (
    account,
    claim,
    confirm,
    denied,
    email,
    home,
    invitation,
    login,
    logout,
    password,
    recover,
    sessions,
    signup,
)

_PAGES = (home, login, logout, signup, confirm, recover, invitation, claim, account, password, email, sessions, denied)
BLUEPRINTS = tuple(page.blueprint for page in _PAGES)
