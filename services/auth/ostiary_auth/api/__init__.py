"""The JSON doors under /api/v1: the same flows as the pages."""

from ostiary_auth.api import account, credentials, denials, jwks, own_sessions, recover, session, signup, tokens

_DOORS = (session, signup, recover, account, own_sessions, tokens, credentials, denials, jwks)
BLUEPRINTS = tuple(door.blueprint for door in _DOORS)
