"""The JSON doors under /api/v1: the same flows as the pages."""

from ostiary_auth.api import (
    account,
    credentials,
    denials,
    jwks,
    oauth,
    own_sessions,
    recover,
    service_clients,
    session,
    signup,
    tokens,
)

_PEOPLE = (session, signup, recover, account, own_sessions, tokens)
_SERVICES = (credentials, denials, service_clients, oauth, jwks)
BLUEPRINTS = tuple(door.blueprint for door in (*_PEOPLE, *_SERVICES))
