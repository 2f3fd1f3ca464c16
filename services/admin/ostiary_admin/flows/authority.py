"""How far an administrator's arm reaches: never above their own permissions.

Nobody grants what they do not hold, nor changes somebody who holds more. Seen in the transaction of the act itself.
"""

from collections.abc import Iterable
from uuid import UUID

from ostiary_admin.reach import beyond
from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Check, Decision, Outcome, Remedy, Step
from ostiary_shared.errors import Failure, NotFound
from ostiary_shared.identity import Account
from ostiary_shared.store import users


class AboveYou(Failure):
    """The act would reach above the caller's own permissions. `decision` says which ones, for the record."""

    status = 403
    code = "above_you"

    def __init__(self, decision: Decision) -> None:
        super().__init__("This reaches above your own permissions.")
        self.decision = decision


async def actor(work: AdminWork) -> Account:
    """The administrator who acts, as the database knows them now."""
    found = await users.account(work.session, work.caller.user_id, work.now) if work.caller.user_id else None
    if found is None or found.deleted_at or found.locked_at:
        raise NotFound("Your own account is not usable any more.")
    return found


async def person(work: AdminWork, user_id: UUID) -> Account:
    """The living person on whom the caller may act. Raises NotFound, or AboveYou for somebody with more permissions.

    Held until the act is committed: of two clicks, or two administrators, the second sees what the first did.
    """
    held = await users.hold_alone(work.session, user_id)
    found = await users.account(work.session, user_id, work.now) if held else None
    if found is None:
        raise NotFound("There is no such person.")
    await reach(work, found.permissions, found.email)
    return found


async def reach(work: AdminWork, permissions: Iterable[str], what: str) -> None:
    """Raise AboveYou unless the caller holds every one of `permissions`. Whoever runs the machine is above them all."""
    if work.caller.operator:
        return
    me = await actor(work)
    missing = beyond(me.permissions, permissions)
    if missing:
        raise AboveYou(_decision(me, missing, what))


def _decision(me: Account, missing: list[str], what: str) -> Decision:
    remedy = Remedy("grant-permission", missing[0], f"Ask an administrator who holds {', '.join(missing)}.")
    step = Step(
        Check.PERMISSION,
        f"Is {what} within your own permissions?",
        passed=False,
        seen=f"{what} comes with {', '.join(missing)}, which {me.email} does not hold",
        remedy=remedy.words,
    )
    return Decision(Outcome.REFUSED, (step,), Check.PERMISSION, remedy, me)
