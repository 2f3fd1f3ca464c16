"""Keeping the console's own refusals of known people, under a code that the Denials page explains."""

from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Decision
from ostiary_shared.identity import Account
from ostiary_shared.store import denials


async def keep(work: AdminWork, account: Account, decision: Decision, where: tuple[str, str]) -> str:
    """The reference under which this refusal can be explained. `where` is method and address; its query is not kept."""
    method, url = where[0], where[1].partition("?")[0]
    refusal = denials.Refusal(account.id, denials.cause_of(decision), method, url, decision.to_json())
    return await denials.record(work.session, refusal, work.now)
