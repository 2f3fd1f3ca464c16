"""The names of what the audit log remembers: `subject:object:action`, one line of meaning each."""

from enum import StrEnum


class Event(StrEnum):
    """Every act that leaves an audit row."""

    SIGNUP_STARTED = "user:account:signed-up"  # a new account waits for its address to be confirmed
    EMAIL_CONFIRMED = "user:email:confirmed"
    ADMIN_CLAIMED = "user:account:claimed"  # the first administrator used the claim link
    LOGIN_SUCCEEDED = "user:session:started"
    LOGIN_FAILED = "user:session:refused"  # known account, wrong password or account not usable
    LOGOUT = "user:session:ended"
    OTHER_SESSIONS_ENDED = "user:sessions:ended"
    RECOVERY_ASKED = "user:recovery:asked"
    PASSWORD_RECOVERED = "user:password:recovered"
    PASSWORD_CHANGED = "user:password:changed"
    NAME_CHANGED = "user:name:changed"
    EMAIL_CHANGE_ASKED = "user:email:change-asked"
    EMAIL_CHANGED = "user:email:changed"
    API_TOKEN_MADE = "user:token:made"
    API_TOKEN_REVOKED = "user:token:revoked"
    USER_CREATED = "admin:user:created"
    USER_UPDATED = "admin:user:updated"
    USER_CONFIRMED = "admin:user:confirmed"
    USER_LOCKED = "admin:user:locked"
    USER_UNLOCKED = "admin:user:unlocked"
    USER_DELETED = "admin:user:deleted"
    USER_RESTORED = "admin:user:restored"
    PASSWORD_SET = "admin:password:set"
    RECOVERY_SENT = "admin:recovery:sent"
    INVITATION_SENT = "admin:invitation:sent"
    SESSION_ENDED = "admin:session:ended"
    SESSIONS_ENDED = "admin:sessions:ended"
    API_TOKEN_TAKEN = "admin:token:revoked"
    API_TOKENS_TAKEN = "admin:tokens:revoked"
    ROLE_CREATED = "admin:role:created"
    ROLE_UPDATED = "admin:role:updated"
    ROLE_DELETED = "admin:role:deleted"
    ROLE_GRANTED = "admin:grant:given"
    ROLE_REVOKED = "admin:grant:ended"
    SITE_CREATED = "admin:site:created"
    SITE_UPDATED = "admin:site:updated"
    SITE_DELETED = "admin:site:deleted"
    SERVICE_CREATED = "admin:service:created"
    SERVICE_SECRET_REPLACED = "admin:service:secret-replaced"
    SERVICE_DISABLED = "admin:service:disabled"
    SERVICE_ENABLED = "admin:service:enabled"
    SERVICE_DELETED = "admin:service:deleted"
    SIGNING_KEY_MADE = "system:signing-key:made"  # by the schedule, or by an operator
    MESSAGE_RESENT = "admin:message:resent"
    CLAIM_LINK_MADE = "operator:claim-link:made"
    BACKUP_RESTORED = "operator:backup:restored"
    EVERYTHING_ENDED = "operator:sessions:ended"  # the epoch: all that anybody carried is worthless
