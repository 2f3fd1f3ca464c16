"""A mail some days before an API token ends (ASVS 6.4.5), so that no script stops by surprise. The courier calls it."""

from datetime import datetime, timedelta

from ostiary_shared.database import Sessions
from ostiary_shared.store import api_tokens, messages, users
from ostiary_shared.store.messages import Draft, Kind

# One mail within each of these last days.
DAYS = (3, 14)
PORTION = 500


async def remind(places: Sessions, now: datetime) -> int:
    """Promise the mails that are due, each once however many couriers there are; how many."""
    promised, nearer = 0, 0
    async with places.begin() as session:
        await api_tokens.lock_reminders(session)
        for days in DAYS:
            span = (now + timedelta(days=nearer), now + timedelta(days=days))
            for token in await api_tokens.unreminded(session, span, days, PORTION):
                owner = await users.get(session, token.user_id)
                if owner is not None:
                    subject = {"token": str(token.id), "days": str(days)}
                    await messages.queue(session, Draft(Kind.API_TOKEN_ENDS, owner.email, owner.id, subject), now)
                    promised += 1
            nearer = days
    return promised
