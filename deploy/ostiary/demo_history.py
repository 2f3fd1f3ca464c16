"""What the samples have done and met: devices, mails and refusals, decided as at the door."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select

from ostiary.demo_people import address
from ostiary_auth.flows import deny, gate
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Asks, Requirement, decide
from ostiary_shared.events import Event
from ostiary_shared.identity import Presented
from ostiary_shared.models import Message, Session, User
from ostiary_shared.permissions import Permission
from ostiary_shared.store import audit, messages, sessions, users
from ostiary_shared.store.messages import Kind
from ostiary_shared.tokens import SESSION, mint
from ostiary_shared.work import Caller

WIKI, SHOP = "localhost:9001", "localhost:9002"
REMEMBERED_HOURS = 14 * 24  # a session that was unused for longer has ended by itself
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
DEVICES = (
    ("192.0.2.14", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    ("198.51.100.7", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36"),
    ("203.0.113.80", f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} Mobile/15E148 Safari/604.1"),
    ("2001:db8::2a", f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Safari/605.1.15"),
    ("192.0.2.55", f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {CHROME} Mobile Safari/537.36"),
)


@dataclass(frozen=True)
class Letter:
    """A mail to a sample: the columns that the courier would have written."""

    first_name: str
    kind: Kind
    hours: float
    state: str = ""  # sent, failed or dropped; empty: still on its way
    reply: str = ""
    tries: int = 1


@dataclass(frozen=True)
class Refused:
    """Something a sample wanted and may not: an address of a site, or a permission of the console."""

    first_name: str
    hours: float
    wanted: str
    method: str = "GET"
    times: int = 1


LETTERS = (
    Letter("amara", Kind.PASSWORD_CHANGED, 200, "sent", "250 2.0.0 queued"),
    Letter("chiara", Kind.RECOVER, 29, "sent", "250 2.0.0 queued"),
    Letter("vera", Kind.INVITE, 287, "sent", "250 2.0.0 queued"),
    Letter("tereza", Kind.WELCOME, 1290, "sent", "250 2.0.0 queued", tries=2),
    Letter("hiroshi", Kind.RECOVER, 70, "failed", "550 5.1.1 There is no mailbox of this name"),
    Letter("oskar", Kind.RECOVER, 44, "dropped", "the account is locked"),
    Letter("liam", Kind.SIGNUP_EXISTING, 9, "sent", "250 2.0.0 queued"),
    Letter("wen", Kind.INVITE, 1, reply="451 4.7.1 Greylisted, please try again later", tries=4),
    Letter("ximena", Kind.INVITE, 0, tries=0),
)
REFUSALS = (
    Refused("bruno", 1.5, f"http://{WIKI}/editor/newsletter", times=4),
    Refused("daniel", 3, f"http://{WIKI}/editor/"),
    Refused("joaquin", 26, f"http://{SHOP}/invoices/2026-10", times=2),
    Refused("tereza", 7, f"http://{SHOP}/cart", "POST"),
    Refused("kateryna", 20, Permission.AUDIT_READ),
    Refused("ingrid", 2, f"http://{WIKI}/"),
)


async def sign_in(work: AuthWork, user: User, place: int, hours: float) -> None:
    """A remembered sign-in last used so many hours ago; some people have an older one on a second device."""
    await _session(work, user, place, hours)
    if place % 3 == 0 and hours + 40 < REMEMBERED_HOURS:
        await _session(work, user, place + 2, hours + 40)
    if place % 5 == 0:
        gone = await _session(work, user, place + 1, hours + 60)
        reason = "signed out" if place % 2 else "ended by an administrator"
        await sessions.end(work.session, gone.id, user.id, work.now - timedelta(hours=hours + 50), reason)


async def _session(work: AuthWork, user: User, place: int, hours: float) -> Session:
    ip, device = DEVICES[place % len(DEVICES)]
    began = work.now - timedelta(hours=hours + 1 + place % 30)
    wanted = sessions.Start(
        user_id=user.id,
        token_digest=mint(SESSION, work.tools.session_key).digest,
        methods=("password",),
        assurance=1,
        lifetime=work.tools.lifetime(remember=True),
        ip=ip,
        user_agent=device,
    )
    row = await sessions.start(work.session, wanted, began)
    row.last_seen_at = work.now - timedelta(hours=hours)
    by_them = replace(work, now=began, caller=Caller(ip=ip, user_agent=device, user_id=user.id, email=user.email))
    await audit.record(by_them, Event.LOGIN_SUCCEEDED, audit.Target(user.id, user.email))
    return row


async def write(work: AuthWork, letter: Letter) -> None:
    """Put a mail into the outbox as the courier would have left it; one that is due goes to the mailbox."""
    email = address(letter.first_name)
    user, then = await users.find(work.session, email), work.now - timedelta(hours=letter.hours)
    if user is None:
        return
    identifier = await messages.queue(work.session, messages.Draft(letter.kind, email, user.id), then)
    row = await work.session.get_one(Message, identifier)
    row.attempts, row.last_reply = letter.tries, letter.reply
    if letter.state:
        setattr(row, f"{letter.state}_at", then + timedelta(seconds=2))
    elif letter.tries:
        row.due_at = work.now + timedelta(hours=1)


async def refuse(work: AuthWork, refused: Refused) -> None:
    """Let the doors decide what a sample wanted at that time, and keep their answer as they would."""
    user = await users.find(work.session, address(refused.first_name))
    used = await _last_used(work, user) if user else None
    if user is None or used is None:
        return
    then = replace(work, now=work.now - timedelta(hours=refused.hours))
    account = await users.account(work.session, user.id, then.now)
    presented = Presented(carried=True, session=sessions.facts(used), account=account)
    if refused.wanted in set(Permission):
        url = f"{work.tools.settings.public_url}/admin/{refused.wanted.partition(':')[0]}"
        requirement = Requirement(Asks.PERMISSION, refused.wanted, source="the console")
        decision = decide(presented, requirement, then.now)
    else:
        scheme, _, rest = refused.wanted.partition("://")
        host, _, path = rest.partition("/")
        judged = await gate.rule_on(then, gate.Asked(refused.method, scheme, host, f"/{path}"), presented)
        url, decision = refused.wanted, judged.decision
    for _ in range(0 if decision.allowed else refused.times):
        await deny.keep(then, decision, refused.method, url)


async def _last_used(work: AuthWork, user: User) -> Session | None:
    mine = select(Session).where(Session.user_id == user.id)
    return await work.session.scalar(mine.order_by(Session.last_seen_at.desc()).limit(1))
