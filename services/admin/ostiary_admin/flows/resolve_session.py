"""From what auth says of a session to the facts that a decision looks at, with roles and grants as they are now."""

from ostiary_admin.tools import AdminWork
from ostiary_client.session import SignedIn
from ostiary_shared.identity import API_TOKEN, Presented, SessionFacts, narrowed, scopes_of
from ostiary_shared.store import users


async def resolve(work: AdminWork, found: SignedIn) -> Presented:
    """The session as auth describes it, and the account as the database holds it at this moment."""
    session = found.session
    facts = SessionFacts(
        id=session.id,
        assurance=session.assurance,
        methods=session.methods,
        created_at=session.created_at,
        authenticated_at=session.authenticated_at,
        last_seen_at=work.now,
        expires_at=session.expires_at,
        # Auth has counted the idle time into `expires_at` already.
        idle_limit=session.expires_at - work.now,
        ended_at=None,
        ended_reason="",
    )
    account = await users.account(work.session, found.user.id, work.now)
    if account is not None and API_TOKEN in session.methods:  # the program may do what auth said, and nothing beyond
        account = narrowed(account, scopes_of(found.user.roles, found.user.permissions))
    return Presented(carried=True, session=facts, account=account)
