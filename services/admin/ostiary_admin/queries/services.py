"""Services with credentials of their own. The digests of their secrets are out of this service's reach."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ostiary_admin.tools import AdminWork
from ostiary_shared.errors import NotFound
from ostiary_shared.models import ServiceClient
from ostiary_shared.store import service_clients


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service; refused since `disabled_at`, if that is set."""

    id: UUID
    client_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    disabled_at: datetime | None


async def all_of_them(work: AdminWork) -> list[ServiceRow]:
    """Every service, by name."""
    return [_row(row) for row in await service_clients.all_of_them(work.session)]


async def get(work: AdminWork, service_id: UUID) -> ServiceRow:
    """One service. Raises NotFound."""
    row = await service_clients.get(work.session, service_id)
    if row is None:
        raise NotFound("There is no such service.")
    return _row(row)


def _row(row: ServiceClient) -> ServiceRow:
    return ServiceRow(
        row.id, row.client_id, row.name, list(row.scopes), row.created_at, row.last_used_at, row.disabled_at
    )
