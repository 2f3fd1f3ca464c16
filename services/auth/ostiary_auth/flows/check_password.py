"""Asking a signed-in person for their password again, before something that matters (ASVS 7.5.1)."""

from ostiary_auth.flows import throttle
from ostiary_auth.tools import Desk
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.store import audit, passwords


async def check(desk: Desk, who: Identity, password: str) -> str | None:
    """The hash that the password is of, or None when it is wrong. Raises TooMany, Busy.

    Counted by session: guesses from elsewhere do not hold up somebody who is signed in.
    """
    counts = throttle.guesses(who.email, str(who.session.id))
    async with desk.tools.turns.at(str(who.session.id)):
        async with desk.begin() as work:
            await throttle.take(work, counts)
            adopted = await passwords.adopted(work.session, who.id)
        verdict = await desk.tools.passwords.verify(adopted, password)
        if not verdict.right:
            async with desk.begin() as work:
                reason = "wrong present password"
                await audit.record(work, Event.LOGIN_FAILED, audit.Target(who.id, who.email), reason=reason)
            return None
        async with desk.begin() as work:
            await throttle.give_back(work, counts)
    return adopted
