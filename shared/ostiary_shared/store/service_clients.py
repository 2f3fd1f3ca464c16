"""Services that prove who they are with a secret of their own. Making and comparing secrets is auth's business."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete as delete_from
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from ostiary_shared.models import ServiceClient

TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service to be known. `digest` is all that is kept of its secret."""

    client_id: str
    name: str
    digest: bytes
    scopes: tuple[str, ...]
    by: UUID | None = None


async def add(session: AsyncSession, wanted: Wanted, now: datetime) -> ServiceClient | None:
    """A new service, or None when the client id is taken."""
    return await session.scalar(
        insert(ServiceClient)
        .values(
            client_id=wanted.client_id,
            name=wanted.name,
            secret_digest=wanted.digest,
            scopes=list(wanted.scopes),
            created_at=now,
            created_by=wanted.by,
        )
        .on_conflict_do_nothing(index_elements=["client_id"])
        .returning(ServiceClient)
    )


async def get(session: AsyncSession, service_id: UUID) -> ServiceClient | None:
    """The service with this id, switched off or not."""
    return await session.get(ServiceClient, service_id, populate_existing=True)


async def find(session: AsyncSession, client_id: str) -> ServiceClient | None:
    """The service of this client id with the digest of its secret, switched off or not."""
    return await session.scalar(
        select(ServiceClient)
        .where(ServiceClient.client_id == client_id)
        .options(undefer(ServiceClient.secret_digest))
        .execution_options(populate_existing=True)
    )


async def all_of_them(session: AsyncSession) -> list[ServiceClient]:
    """Every service, by name. There are few: they are made by hand."""
    return list(await session.scalars(select(ServiceClient).order_by(ServiceClient.name, ServiceClient.id)))


async def replace_secret(session: AsyncSession, service_id: UUID, digest: bytes) -> ServiceClient | None:
    """Let another secret count from now on, and the old one no more; None for a service that is not there."""
    return await session.scalar(
        update(ServiceClient)
        .where(ServiceClient.id == service_id)
        .values(secret_digest=digest)
        .returning(ServiceClient)
        .execution_options(populate_existing=True)
    )


async def switch_off(session: AsyncSession, service_id: UUID, now: datetime) -> bool:
    """Refuse a service from its next request on; False when it is off already."""
    statement = update(ServiceClient).where(ServiceClient.id == service_id, ServiceClient.disabled_at.is_(None))
    return (await session.execute(statement.values(disabled_at=now).returning(ServiceClient.id))).first() is not None


async def switch_on(session: AsyncSession, service_id: UUID) -> bool:
    """Let a service in again, with the secret it had; False when it is on already."""
    statement = update(ServiceClient).where(ServiceClient.id == service_id, ServiceClient.disabled_at.is_not(None))
    return (await session.execute(statement.values(disabled_at=None).returning(ServiceClient.id))).first() is not None


async def delete(session: AsyncSession, service_id: UUID) -> tuple[str, str] | None:
    """Forget a service; its client id and name, or None when it is not there."""
    statement = delete_from(ServiceClient).where(ServiceClient.id == service_id)
    found = (await session.execute(statement.returning(ServiceClient.client_id, ServiceClient.name))).first()
    return (found[0], found[1]) if found else None


async def touch(session: AsyncSession, service_id: UUID, now: datetime) -> None:
    """Write that the service was here, unless that was written a moment ago."""
    long_ago = or_(ServiceClient.last_used_at.is_(None), ServiceClient.last_used_at < now - TOUCH_EVERY)
    await session.execute(
        update(ServiceClient).where(ServiceClient.id == service_id, long_ago).values(last_used_at=now)
    )
