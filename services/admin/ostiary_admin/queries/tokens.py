"""The API tokens of a person. Their digests are out of this service's reach."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ostiary_admin.tools import AdminWork
from ostiary_shared.store import api_tokens


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that was not revoked: what it allows, until when, and when a program last came with it."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


async def of(work: AdminWork, user_id: UUID) -> list[TokenRow]:
    """All of a person's, the newest first: there are few, and those that ended lately are among them."""
    return [
        TokenRow(row.id, row.name, list(row.scopes), row.created_at, row.expires_at, row.last_used_at)
        for row in await api_tokens.kept(work.session, user_id)
    ]
