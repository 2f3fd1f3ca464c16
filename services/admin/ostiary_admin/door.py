"""What is special about the console's doors: every request asks auth, uncached, and passes its refusals on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from quart import current_app, g, request
from quart.typing import ResponseReturnValue

from ostiary_admin.flows import deny, people, resolve_session
from ostiary_admin.flows.authority import AboveYou
from ostiary_admin.tools import AdminTools, AdminWork
from ostiary_client.session import Refused
from ostiary_shared import clock
from ostiary_shared.access import Asks, decide
from ostiary_shared.database import broken_constraint
from ostiary_shared.errors import Busy, Conflict, Forbidden
from ostiary_shared.identity import Presented
from ostiary_shared.permissions import Permission
from ostiary_shared.revocation import Receipt
from ostiary_shared.tokens import PERSONAL, well_formed
from ostiary_shared.web.door import needs, refused, stance_of
from ostiary_shared.web.errors import LAST_ADMIN, problem, refusal_page, wants_json
from ostiary_shared.web.kit import Refusal, kit
from ostiary_shared.web.visitor import visitor
from ostiary_shared.web.work import begin_work

# What people's programs may ask, with their API tokens: JSON, never a page.
PROGRAMS = "/admin/api/v1/"


def tools() -> AdminTools:
    """The tools of this app."""
    found: AdminTools = kit().tools
    return found


def token() -> str:
    """The visitor's own session token, for calls to auth on their behalf. Raises Forbidden for a program's token.

    Auth takes those at its session door alone, and this service must not do for a program what auth would not.
    """
    if _programs(visitor().auth_id):
        raise Forbidden("This takes somebody who is signed in; an API token does not reach it.", "session_needed")
    return visitor().auth_id or ""


async def resolve(carried: str | None) -> Presented:
    """What a token stands for. Raises Busy when auth cannot say, so that nobody is let in meanwhile."""
    stance = stance_of(current_app, request.endpoint or "")
    if stance is not None and stance.guard.asks is Asks.ANYONE:
        return Presented(carried=True)  # public files and health must work while auth is away
    if _programs(carried) and not request.path.startswith(PROGRAMS):
        return Presented(carried=True, misplaced=True)
    answer = await tools().auth.session(carried)
    if isinstance(answer, Refused):
        g.auth_reference = answer.reference
        return Presented(carried=True)
    async with begin_work() as work:
        return await resolve_session.resolve(work, answer)


async def keep(refusal: Refusal) -> str:
    """The reference of a refusal: a row for known people; for strangers the code that auth sealed."""
    account = refusal.decision.account
    if account is not None:
        async with begin_work() as work:
            return await deny.keep(work, account, refusal.decision, (refusal.method, refusal.url))
    if "auth_reference" not in g:
        g.auth_reference = await _stranger()
    found: str = g.auth_reference
    return found


async def above(error: AboveYou) -> ResponseReturnValue:
    """The answer to an act above the caller's own permissions: a refusal like any other, on record, saying what of."""
    refusal = refused(error.decision).refusal
    reference = await kit().deny(refusal)
    if wants_json():
        return problem(error.status, error.code, error.detail, reference=reference)
    return await refusal_page(error.detail, reference, error.status)


@asynccontextmanager
async def begin_act() -> AsyncIterator[AdminWork]:
    """A unit of work that changes something. Raises Conflict when nobody would be left to administer Ostiary."""
    try:
        async with begin_work() as work:
            yield work
    except Exception as error:
        # Deferred: the database judges what would be committed, so this surfaces when the block is left.
        if broken_constraint(error) == "at_least_one_admin":
            raise Conflict(LAST_ADMIN) from error
        raise


async def _stranger() -> str:
    try:
        answer = await tools().auth.session(None)
    except Busy:
        return ""  # refused all the same; there is just nobody to seal a code
    return answer.reference if isinstance(answer, Refused) else ""


def _programs(carried: str | None) -> bool:
    return carried is not None and well_formed(carried, PERSONAL)


async def require(permission: Permission) -> None:
    """Refuse the visitor unless they hold one more permission than the route asks for. Raises RefusedError."""
    decision = decide(await visitor().presented(), needs(permission), clock.now())
    if not decision.allowed:
        raise refused(decision)


async def set_password(user_id: UUID, password: str, email: str | None = None) -> Receipt | None:
    """Let auth set a password, with the visitor's own token, once all the rest of the request is known to be possible.

    Gives the receipt. Raises Invalid naming `password` or `email`. What auth hashes never passes through our database.
    """
    await require(Permission.USERS_SET_PASSWORD)
    async with begin_work() as work:
        await people.check_edit(work, user_id, email)
    return await tools().auth.set_password(token(), user_id, password)
