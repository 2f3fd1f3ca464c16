"""The JSON doors under /api/v1: the same flows as the pages."""

from ostiary_auth.api import account, credentials, denials, jwks, own_sessions, recover, session, signup

BLUEPRINTS = tuple(door.blueprint for door in (session, signup, recover, account, own_sessions, credentials, denials, jwks))
