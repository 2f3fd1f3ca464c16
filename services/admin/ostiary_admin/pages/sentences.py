"""The audit log in sentences: for each event, who did what to whom. Data alone; the links come from the template."""

from gettext import gettext as _

from ostiary_admin.queries.audit import AuditRow
from ostiary_shared.events import Event

# `by` is who acted, `on` on whom or what, `what` the role. People who come by a mailed link or sign in act themselves.
SENTENCES: dict[Event, str] = {
    Event.SIGNUP_STARTED: _("%(on)s signed up"),
    Event.EMAIL_CONFIRMED: _("%(on)s confirmed the address"),
    Event.ADMIN_CLAIMED: _("%(on)s claimed the first administrator's account"),
    Event.LOGIN_SUCCEEDED: _("%(on)s signed in"),
    Event.LOGIN_FAILED: _("Somebody failed to sign in as %(on)s"),
    Event.LOGOUT: _("%(on)s signed out"),
    Event.OTHER_SESSIONS_ENDED: _("%(on)s signed out everywhere else"),
    Event.RECOVERY_ASKED: _("Somebody asked to recover the account of %(on)s"),
    Event.PASSWORD_RECOVERED: _("%(on)s recovered the account"),
    Event.PASSWORD_CHANGED: _("%(on)s changed the password"),
    Event.NAME_CHANGED: _("%(on)s changed the name"),
    Event.EMAIL_CHANGE_ASKED: _("%(on)s asked for a new address"),
    Event.EMAIL_CHANGED: _("%(on)s changed the address"),
    Event.API_TOKEN_MADE: _("%(on)s made an API token"),
    Event.API_TOKEN_REVOKED: _("%(on)s revoked an API token"),
    Event.USER_CREATED: _("%(by)s created the account %(on)s"),
    Event.USER_UPDATED: _("%(by)s edited the account %(on)s"),
    Event.USER_CONFIRMED: _("%(by)s confirmed the address %(on)s by hand"),
    Event.USER_LOCKED: _("%(by)s locked the account %(on)s"),
    Event.USER_UNLOCKED: _("%(by)s unlocked the account %(on)s"),
    Event.USER_DELETED: _("%(by)s deleted the account %(on)s"),
    Event.USER_RESTORED: _("%(by)s restored the account %(on)s"),
    Event.PASSWORD_SET: _("%(by)s set a new password for %(on)s"),
    Event.RECOVERY_SENT: _("%(by)s sent a recovery mail to %(on)s"),
    Event.INVITATION_SENT: _("%(by)s sent an invitation to %(on)s"),
    Event.SESSION_ENDED: _("%(by)s ended a session of %(on)s"),
    Event.SESSIONS_ENDED: _("%(by)s ended all sessions of %(on)s"),
    Event.API_TOKEN_TAKEN: _("%(by)s revoked an API token of %(on)s"),
    Event.API_TOKENS_TAKEN: _("%(by)s revoked all API tokens of %(on)s"),
    Event.ROLE_CREATED: _("%(by)s made the role %(on)s"),
    Event.ROLE_UPDATED: _("%(by)s changed the role %(on)s"),
    Event.ROLE_DELETED: _("%(by)s deleted the role %(on)s"),
    Event.ROLE_GRANTED: _("%(by)s granted %(what)s to %(on)s"),
    Event.ROLE_REVOKED: _("%(by)s took %(what)s away from %(on)s"),
    Event.SITE_CREATED: _("%(by)s added the site %(on)s"),
    Event.SITE_UPDATED: _("%(by)s changed the site %(on)s"),
    Event.SITE_DELETED: _("%(by)s removed the site %(on)s"),
    Event.SERVICE_CREATED: _("%(by)s gave credentials to the service %(on)s"),
    Event.SERVICE_SECRET_REPLACED: _("%(by)s replaced the secret of the service %(on)s"),
    Event.SERVICE_DISABLED: _("%(by)s switched the service %(on)s off"),
    Event.SERVICE_ENABLED: _("%(by)s switched the service %(on)s on"),
    Event.SERVICE_DELETED: _("%(by)s deleted the service %(on)s"),
    Event.SIGNING_KEY_MADE: _("%(by)s made a new signing key"),
    Event.MESSAGE_RESENT: _("%(by)s sent a mail to %(on)s again"),
    Event.CLAIM_LINK_MADE: _("%(by)s made a claim link"),
    Event.BACKUP_RESTORED: _("%(by)s restored the backup %(on)s"),
    Event.EVERYTHING_ENDED: _("%(by)s ended whatever %(on)s carried"),
}
# Where nobody is meant: what was typed is not kept, for people type passwords into the address field.
WITHOUT_TARGET = {
    Event.LOGIN_FAILED: _("Somebody failed to sign in with an address that nobody has"),
    Event.RECOVERY_ASKED: _("Somebody asked to recover an account that nobody has"),
}
REASONED = {
    (Event.LOGIN_FAILED, "wrong present password"): _("%(on)s, who is signed in, gave a wrong present password"),
    (Event.SIGNUP_STARTED, "the address was known"): _("Somebody tried to sign up as %(on)s again"),
    (Event.PASSWORD_RECOVERED, "invite"): _("%(on)s recovered the account (by invitation)"),
    (Event.PASSWORD_RECOVERED, "recover"): _("%(on)s recovered the account (by a recovery mail)"),
    (Event.EMAIL_CONFIRMED, "invite"): _("%(on)s confirmed the address (by invitation)"),
    (Event.EMAIL_CONFIRMED, "recover"): _("%(on)s confirmed the address (by a recovery mail)"),
}

# Acts that take nothing from anybody, though replicas were told: when they counted everywhere is nobody's worry.
GIVING = frozenset(
    {
        Event.SIGNUP_STARTED,
        Event.EMAIL_CONFIRMED,
        Event.ADMIN_CLAIMED,
        Event.LOGIN_SUCCEEDED,
        Event.NAME_CHANGED,
        Event.USER_CREATED,
        Event.USER_CONFIRMED,
        Event.USER_UNLOCKED,
        Event.USER_RESTORED,
        Event.SITE_CREATED,
    }
)


def sentence(row: AuditRow) -> str:
    """The sentence of an entry, with room for `by`, `on` and `what`; an event of another version shows its name."""
    if row.event not in set(Event):
        return "%(by)s: " + row.event.replace("%", "%%") + (" → %(on)s" if _meant(row) else "")
    event = Event(row.event)
    if event in WITHOUT_TARGET and not _meant(row):
        return WITHOUT_TARGET[event]
    return REASONED.get((event, row.reason)) or SENTENCES[event]


def remark(row: AuditRow) -> str:
    """The reason below the sentence, unless the sentence says it already."""
    return "" if (row.event, row.reason) in REASONED else row.reason


def in_force(row: AuditRow) -> str:
    """The receipt of what was taken away, as a sentence; empty where nothing was."""
    return row.receipt.words() if row.receipt and row.event not in GIVING else ""


def _meant(row: AuditRow) -> bool:
    return bool(row.target or row.target_id)
