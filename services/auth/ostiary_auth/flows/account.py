"""One's own account: the name others see."""

from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.store import audit, users


async def rename(work: AuthWork, who: Identity, name: str) -> None:
    """Change the name; nothing is written when it is the same."""
    if name == who.name:
        return
    await users.change(work.session, who.id, name=name)
    await audit.record(
        work, Event.NAME_CHANGED, audit.Target(who.id, who.email), changes=({"name": who.name}, {"name": name})
    )
