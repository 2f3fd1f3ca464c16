"""Keeping the console's own refusals of known people, under a code that the Denials page explains."""

from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Decision
from ostiary_shared.identity import Account
from ostiary_shared.store import denials


async def keep(work: AdminWork, account: Account, decision: Decision, where: tuple[str, str]) -> str:
    """The reference under which this refusal can be explained. `where` is method and address; its query is not kept."""
    method, url = where[0], where[1].partition("?")[0]
    cause = f"{decision.cause} {decision.remedy.value if decision.remedy else ''} {method} {url}"
    return await denials.record(
        work.session, denials.Refusal(account.id, cause, method, url, decision.to_json()), work.now
    )
