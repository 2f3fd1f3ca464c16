"""Every way in ends here: the only place where a session is started (ASVS 6.3.4)."""

from dataclasses import dataclass, replace

from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.identity import Identity
from ostiary_shared.models import User
from ostiary_shared.store import audit, sessions, users
from ostiary_shared.tokens import SESSION, digest, mint

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
    row = await sessions.start(
        work.session,
        sessions.Start(
            user_id=user.id,
            token_digest=token.digest,
            methods=entry.methods,
            assurance=PASSWORD_ALONE,
            lifetime=work.tools.lifetime(remember=entry.remember),
            ip=work.caller.ip,
            user_agent=work.caller.user_agent,
        ),
        work.now,
    )
    await sessions.keep_newest(work.session, user.id, MAX_SESSIONS, work.now)
    await users.seen(work.session, user.id, work.now)
    by_them = replace(work, caller=replace(work.caller, user_id=user.id, email=user.email))
    await audit.record(by_them, Event.LOGIN_SUCCEEDED, audit.Target(user.id, user.email))
    account = users.account_of(user, await users.held_roles(work.session, user.id, work.now))
    return Started(token.value, Identity.of(account, sessions.facts(row)), entry.remember)
