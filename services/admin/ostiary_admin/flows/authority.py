"""How far an administrator's arm reaches: never above their own permissions.

Nobody grants what they do not hold, nor changes somebody who holds more. Seen in the transaction of the act itself.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from ostiary_admin.reach import beyond, may_favour
from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Check, Decision, Outcome, Remedy, Step
from ostiary_shared.decision import NEW_TOKEN
from ostiary_shared.errors import Failure, NotFound
from ostiary_shared.identity import Account, narrowed
from ostiary_shared.permissions import ADMIN, Permission
from ostiary_shared.store import users


class AboveYou(Failure):
    """The act would reach above the caller's own permissions. `decision` says which ones, for the record."""

    status = 403
    code = "forbidden"

    def __init__(self, decision: Decision, detail: str) -> None:
        super().__init__(detail)
        self.decision = decision


async def actor(work: AdminWork) -> Account:
    """The administrator who acts, as the database knows them now; a program's token never reaches further than it."""
    found = await users.account(work.session, work.caller.user_id, work.now) if work.caller.user_id else None
    if found is None or found.deleted_at or found.locked_at:
        raise NotFound("Your own account is not usable any more.")
    return found if work.caller.scopes is None else narrowed(found, work.caller.scopes)


async def person(work: AdminWork, user_id: UUID) -> Account:
    """The living person on whom the caller may act. Raises NotFound, or AboveYou for somebody with more permissions.

    Held until the act is committed: of two clicks, or two administrators, the second sees what the first did.
    """
    found = await anybody(work, user_id)
    if found.deleted_at:
        raise NotFound("There is no such person.")
    return found


async def anybody(work: AdminWork, user_id: UUID) -> Account:
    """The same for a person who may have been deleted."""
    held = await users.hold_alone(work.session, user_id, even_deleted=True)
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
        raise _lacking(me, missing, what, f"{what} comes with {', '.join(missing)}")


async def need(work: AdminWork, permission: Permission, what: str) -> None:
    """Raise AboveYou unless the caller holds a permission that this act takes besides the one of its door."""
    if work.caller.operator:
        return
    me = await actor(work)
    if permission not in me.permissions:
        raise _lacking(me, [permission], what, f"{what} takes {permission}")


async def favour(work: AdminWork, user_id: UUID) -> None:
    """Raise AboveYou for somebody who would give a role to themselves without holding `admin`."""
    if work.caller.operator or work.caller.user_id != user_id:
        return
    me = await actor(work)
    if not may_favour(me.id, me.roles, user_id):
        takes = f"giving a role to oneself takes the role {ADMIN}"
        raise _above(me, Step(Check.ROLE, "Is the role for somebody else?", passed=False, seen=takes), None)


def _lacking(me: Account, missing: list[str], what: str, takes: str) -> AboveYou:
    if not beyond({permission for role in me.whole for permission in role.permissions}, missing):
        return _withheld(me, missing, what, takes)
    remedy = Remedy("grant-permission", missing[0], f"Ask an administrator who holds {', '.join(missing)}.")
    step = Step(Check.PERMISSION, f"Is {what} within your own permissions?", passed=False, seen=takes)
    return _above(me, step, remedy)


def _withheld(me: Account, missing: list[str], what: str, takes: str) -> AboveYou:
    """The same for a program whose owner may, and whose token is not given what they hold."""
    scopes = ", ".join(missing)
    remedy = Remedy(NEW_TOKEN, " ".join(missing), f"Make a token with {scopes}, and with a role that permits it.")
    seen = f"{takes}: {me.email} holds it, this token is not given it"
    title = f"Is {what} within what the token is given?"
    step = Step(Check.PERMISSION, title, passed=False, seen=seen, remedy=remedy.words)
    told = f"That is above what this token is given: {takes}."
    return AboveYou(Decision(Outcome.REFUSED, (step,), step.check, remedy, me), told)


def _above(me: Account, step: Step, remedy: Remedy | None) -> AboveYou:
    """The refusal on record, and in a sentence for whoever is refused. The step says so far what the act takes."""
    words = remedy.words if remedy else "Ask another administrator."
    seen = replace(step, seen=f"{step.seen}, which {me.email} does not hold", remedy=words)
    told = f"That is above your own permissions: {step.seen}, which you do not hold."
    return AboveYou(Decision(Outcome.REFUSED, (seen,), step.check, remedy, me), told)
