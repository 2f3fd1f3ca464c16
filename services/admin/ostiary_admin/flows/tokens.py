"""Revoking other people's API tokens, one or all. Nobody here can make one: that takes the person's own password."""

from uuid import UUID

from ostiary_admin.flows import authority
from ostiary_admin.tools import AdminWork
from ostiary_shared.events import Event
from ostiary_shared.store import api_tokens, audit

WHY = "revoked by an administrator"


async def revoke(work: AdminWork, user_id: UUID, token_id: UUID) -> bool:
    """Revoke one token of a person; False when it is not theirs, or revoked already. Raises NotFound, AboveYou."""
    person = await authority.person(work, user_id)
    name = await api_tokens.revoke(work.session, token_id, person.id, work.now, WHY)
    if name is None:
        return False
    target = audit.Target(person.id, person.email)
    await audit.record(work, Event.API_TOKEN_TAKEN, target, changes=({"token": name}, {}))
    return True


async def revoke_all(work: AdminWork, user_id: UUID) -> int:
    """Revoke all tokens of a person; how many there were."""
    person = await authority.person(work, user_id)
    revoked = await api_tokens.revoke_all(work.session, person.id, work.now, WHY)
    if revoked:
        target = audit.Target(person.id, person.email)
        await audit.record(work, Event.API_TOKENS_TAKEN, target, changes=({"tokens": revoked}, {"tokens": 0}))
    return revoked
