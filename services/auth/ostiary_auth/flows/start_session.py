"""Every way in ends here: the only place where a session is started (ASVS 6.3.4)."""

from dataclasses import dataclass, replace
from uuid import UUID

from ostiary_auth.tools import AuthTools, AuthWork, Desk
from ostiary_shared import clock, revocation
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.models import User
from ostiary_shared.store import audit, sessions, sign_ins, users
from ostiary_shared.store.sign_ins import Against, Entrance
from ostiary_shared.tokens import SESSION, Token, digest, mint
from ostiary_shared.work import Caller

MAX_SESSIONS = 50
PASSWORD_ALONE = 1  # the assurance level of one factor


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody came in: by which methods, for how long, and with which session token in hand."""

    methods: tuple[str, ...] = ("password",)
    remember: bool = False
    presented: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A new session. The token is shown here once."""

    token: str
    identity: Identity
    remember: bool


async def start(work: AuthWork, user: User, entry: Entry) -> Started:
    """A new session of a person who is held (`users.hold_alone`) and has proved enough.

    A session that the browser presents ends: nobody goes on in one that somebody else may have planted (ASVS 7.2.4).
    """
    if entry.presented:
        await sessions.end_by_token(work.session, digest(entry.presented), work.now, "signed in again")
    token = mint(SESSION, work.tools.session_key)
    row = await sessions.start(work.session, _wanted(work.tools, user.id, token, entry, work.caller), work.now)
    await sessions.keep_newest(work.session, user.id, MAX_SESSIONS, work.now)
    await users.seen(work.session, user.id, work.now)
    by_them = replace(work, caller=replace(work.caller, user_id=user.id, email=user.email))
    await audit.record(by_them, Event.LOGIN_SUCCEEDED, audit.Target(user.id, user.email))
    account = users.account_of(user, await users.held_roles(work.session, user.id, work.now))
    return Started(token.value, Identity.of(account, sessions.facts(row)), entry.remember)


async def enter(desk: Desk, shown: Against, entry: Entry) -> Started | None:
    """The same in one statement, for whoever brought the password that was adopted; None when it no longer is.

    Whoever could not have come in when `shown` was read does not come in now.
    """
    if shown.adopted is None:
        return None
    caller, now = await desk.caller(), clock.now()
    token = mint(SESSION, desk.tools.session_key)
    wanted = _wanted(desk.tools, shown.user_id, token, entry, caller)
    presented = digest(entry.presented) if entry.presented else None
    entrance = Entrance(shown.adopted, wanted, presented, MAX_SESSIONS)
    entered = await sign_ins.enter(desk.tools.statements, entrance, caller, now)
    if entered is None:
        return None
    if entered.ended:
        async with desk.begin() as work:  # leaving it lasts until those that ended are over everywhere
            revocation.mark(work.session)
    return Started(token.value, Identity.of(entered.account, entered.session), entry.remember)


def _wanted(tools: AuthTools, user_id: UUID, token: Token, entry: Entry, caller: Caller) -> sessions.Start:
    return sessions.Start(
        user_id=user_id,
        token_digest=token.digest,
        methods=entry.methods,
        assurance=PASSWORD_ALONE,
        lifetime=tools.lifetime(remember=entry.remember),
        ip=caller.ip,
        user_agent=caller.user_agent,
    )
