"""When a mail is tried again and when it is given up: what is written into its row after each outcome."""

from datetime import datetime, timedelta

from ostiary_auth.mail.errand import Pointless
from ostiary_auth.mail.transport import Deferred, Refused, Sent, Verdict
from ostiary_shared import clock
from ostiary_shared.models import Message
from ostiary_shared.store.messages import Values

# Seconds from one try to the next, by how many there were; each mail's own share of a fifth spreads them.
STEPS = (10, 30, 120, 600, 1800, 3600)
SPREAD = 0.2
GIVE_UP = timedelta(days=3)
# After trouble that is the server's or ours: short, for it ends for all mails at once.
SOON = timedelta(seconds=30)


def values(row: Message, outcome: Verdict | Pointless) -> Values:
    """The row after a try."""
    now = clock.now()
    match outcome:
        case Sent(reply):
            return {"sent_at": now, "last_reply": reply}
        case Refused(reply):
            return {"failed_at": now, "last_reply": reply}
        case Pointless(reason):
            return {"dropped_at": now, "last_reply": reason}
        case Deferred(reply):
            return _given_up(row, reply, now) or {"due_at": now + back_off(row), "last_reply": reply}


def later(row: Message, reply: str) -> Values:
    """The row after the server refused us rather than this mail."""
    now = clock.now()
    return _given_up(row, reply, now) or {"due_at": now + SOON, "last_reply": reply}


def untried(row: Message, reply: str) -> Values:
    """The row of a mail that was claimed in vain; without a reply it is as it was before."""
    before: Values = {"attempts": row.attempts - 1}
    if not reply:
        return before
    return _given_up(row, reply, clock.now()) or before | {"last_reply": reply}


def back_off(row: Message) -> timedelta:
    """How long a mail waits after its latest try: about 10 s, 30 s, 2 min, 10 min, 30 min, then an hour."""
    step = STEPS[min(max(row.attempts, 1), len(STEPS)) - 1]
    share = row.id.int % 1000 / 1000
    return timedelta(seconds=step * (1 - SPREAD * share))


def _given_up(row: Message, reply: str, now: datetime) -> Values:
    if now < row.created_at + GIVE_UP:
        return {}
    return {"failed_at": now, "last_reply": f"Given up after {GIVE_UP.days} days. {reply}"}
