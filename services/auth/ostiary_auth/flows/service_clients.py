"""Services with credentials of their own: made here, for only this service writes digests. A secret is shown once."""

import re
from dataclasses import dataclass
from uuid import UUID

from ostiary_auth.tools import AuthWork
from ostiary_shared import tokens
from ostiary_shared.errors import Conflict, FieldError, Invalid, NotFound
from ostiary_shared.events import Event
from ostiary_shared.store import audit, service_clients
from ostiary_shared.store.service_clients import Wanted
from ostiary_shared.tokens import CLIENT_SECRET

# RFC 6749, 3.3: what one word of a scope may consist of.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_TAIL = 6


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a service signs in with. The secret is shown here once."""

    id: UUID
    client_id: str
    secret: str
    name: str
    scopes: list[str]


async def create(work: AuthWork, name: str, scopes: tuple[str, ...]) -> Credentials:
    """A new service. Raises Invalid naming `scopes`."""
    wrong = next((scope for scope in scopes if not _SCOPE.fullmatch(scope)), None)
    if wrong is not None:
        raise Invalid(FieldError("scopes", "A scope is a word without spaces, quotes and backslashes."))
    secret = tokens.mint(CLIENT_SECRET)
    wanted = Wanted(_client_id(name), name, secret.digest, tuple(dict.fromkeys(scopes)), work.caller.user_id)
    row = await service_clients.add(work.session, wanted, work.now)
    if row is None:
        raise Conflict("Please try again: the name that was drawn for it is taken.")
    facts = {"client_id": row.client_id, "scopes": list(row.scopes)}
    await audit.record(work, Event.SERVICE_CREATED, audit.Target(row.id, row.name), changes=({}, facts))
    return Credentials(row.id, row.client_id, secret.value, row.name, list(row.scopes))


async def replace_secret(work: AuthWork, service_id: UUID) -> Credentials:
    """Another secret; the old one is refused from now on. Raises NotFound."""
    secret = tokens.mint(CLIENT_SECRET)
    row = await service_clients.replace_secret(work.session, service_id, secret.digest)
    if row is None:
        raise NotFound("There is no such service.")
    await audit.record(work, Event.SERVICE_SECRET_REPLACED, audit.Target(row.id, row.name))
    return Credentials(row.id, row.client_id, secret.value, row.name, list(row.scopes))


async def delete(work: AuthWork, service_id: UUID) -> None:
    """Forget a service, and with it whatever was issued to it. Raises NotFound."""
    found = await service_clients.delete(work.session, service_id)
    if found is None:
        raise NotFound("There is no such service.")
    client_id, name = found
    target = audit.Target(service_id, name)
    await audit.record(work, Event.SERVICE_DELETED, target, changes=({"client_id": client_id}, {}))


def _client_id(name: str) -> str:
    """A name that logs can be read by, and no two services share: `backup-of-the-wiki-7kq2m4`."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].rstrip("-")
    return f"{stem or 'service'}-{tokens.code(_TAIL).lower()}"
