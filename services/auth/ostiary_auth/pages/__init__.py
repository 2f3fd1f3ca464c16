"""The HTML doors, one file a page. Forms in, flows called, templates out."""

from ostiary_auth.pages import (
    account,
    claim,
    confirm,
    denied,
    email,
    handover,
    home,
    invitation,
    login,
    logout,
    password,
    recover,
    sessions,
    signup,
    tokens,
)

_STRANGERS = (home, login, logout, signup, confirm, recover, invitation, claim, denied, handover)
_OWN = (account, password, email, sessions, tokens)
BLUEPRINTS = tuple(page.blueprint for page in (*_STRANGERS, *_OWN))
