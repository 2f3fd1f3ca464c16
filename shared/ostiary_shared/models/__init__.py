"""The tables, one noun a file. Import from here."""

from ostiary_shared.models.audit import AuditEvent
from ostiary_shared.models.base import Base
from ostiary_shared.models.message import Message
from ostiary_shared.models.role import Role, RoleGrant, RolePermission
from ostiary_shared.models.service import Counter, SigningKey
from ostiary_shared.models.session import OneTimeToken, Session
from ostiary_shared.models.site import Denial, Site, SiteRule
from ostiary_shared.models.user import Password, User

__all__ = [
    "AuditEvent",
    "Base",
    "Counter",
    "Denial",
    "Message",
    "OneTimeToken",
    "Password",
    "Role",
    "RoleGrant",
    "RolePermission",
    "Session",
    "SigningKey",
    "Site",
    "SiteRule",
    "User",
]
