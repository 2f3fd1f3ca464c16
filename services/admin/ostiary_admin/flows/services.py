"""Switching services off and on. Their secrets are made by auth, which alone writes digests."""

from uuid import UUID

from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.events import Event
from ostiary_shared.store import audit, service_clients


async def switch(work: AdminWork, service_id: UUID, *, on: bool) -> bool:
    """Let a service in, or refuse it from its next request on; False when it is so already. Raises NotFound."""
    row = await service_clients.get(work.session, service_id)
    if row is None:
        raise NotFound("There is no such service.")
    if on:
        changed = await service_clients.switch_on(work.session, service_id)
    else:
        changed = await service_clients.switch_off(work.session, service_id, work.now)
    if changed:
        event = Event.SERVICE_ENABLED if on else Event.SERVICE_DISABLED
        await audit.record(work, event, audit.Target(row.id, row.name))
    return changed
