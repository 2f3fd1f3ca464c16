"""What may be done in the console, and the roles that exist after the first start."""

from dataclasses import dataclass
from enum import StrEnum

ADMIN = "admin"
END_USER = "end-user"


class Permission(StrEnum):
    """One door of the console each; a role holds any number of them."""

    USERS_READ = "users:read"
    USERS_CREATE = "users:create"
    USERS_UPDATE = "users:update"
    USERS_LOCK = "users:lock"
    USERS_DELETE = "users:delete"
    USERS_SET_PASSWORD = "users:set-password"
    USERS_RECOVER = "users:recover"
    SESSIONS_READ = "sessions:read"
    SESSIONS_END = "sessions:end"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    GRANTS_WRITE = "grants:write"
    AUDIT_READ = "audit:read"
    MESSAGES_READ = "messages:read"
    MESSAGES_RESEND = "messages:resend"
    SITES_READ = "sites:read"
    SITES_WRITE = "sites:write"
    DENIALS_READ = "denials:read"
    SERVICES_READ = "services:read"
    SERVICES_WRITE = "services:write"

    @property
    def meaning(self) -> str:
        """What the permission allows, for people who choose among them."""
        return MEANINGS[self]


MEANINGS = {
    Permission.USERS_READ: "See people and their roles",
    Permission.USERS_CREATE: "Create people and send invitations",
    Permission.USERS_UPDATE: "Change names and confirm addresses; together with users:set-password, change addresses",
    Permission.USERS_LOCK: "Lock and unlock accounts",
    Permission.USERS_DELETE: "Delete accounts",
    Permission.USERS_SET_PASSWORD: "Set a new password for someone, which hands over their account",
    Permission.USERS_RECOVER: "Send recovery mails",
    Permission.SESSIONS_READ: "See where people are signed in, and their API tokens",
    Permission.SESSIONS_END: "End people's sessions and revoke their API tokens",
    Permission.ROLES_READ: "See roles and what they allow",
    Permission.ROLES_WRITE: "Create, change and delete roles",
    Permission.GRANTS_WRITE: "Give roles to other people and take them away, including roles that open your sites",
    Permission.AUDIT_READ: "Read the audit log",
    Permission.MESSAGES_READ: "See the mail outbox",
    Permission.MESSAGES_RESEND: "Send a mail again, if they may send one of its kind anew",
    Permission.SITES_READ: "See protected sites and their rules",
    Permission.SITES_WRITE: "Change protected sites and their rules, and with them who may enter, themselves included",
    Permission.DENIALS_READ: "Look up why somebody was refused",
    Permission.SERVICES_READ: "See the services that have credentials of their own",
    Permission.SERVICES_WRITE: "Give services credentials, to ask whose a token is, and take them away",
}


@dataclass(frozen=True, slots=True)
class SeedRole:
    """A role made at the first start."""

    name: str
    description: str
    permissions: frozenset[Permission]


_READING = frozenset(p for p in Permission if p.value.endswith(":read"))

SEED_ROLES = (
    SeedRole(ADMIN, "May do everything in the console.", frozenset(Permission)),
    SeedRole(
        "support",
        "Helps people back in: sees them, ends sessions, sends recovery mails.",
        frozenset(
            {
                Permission.USERS_READ,
                Permission.SESSIONS_READ,
                Permission.SESSIONS_END,
                Permission.USERS_RECOVER,
                Permission.DENIALS_READ,
                Permission.MESSAGES_READ,
            }
        ),
    ),
    SeedRole("auditor", "Reads everything, changes nothing.", _READING),
    SeedRole(END_USER, "What every new person gets. Opens nothing by itself.", frozenset()),
)
