"""The tables, one noun a file. Import from here."""

from ostiary_shared.models.audit import AuditEvent
from ostiary_shared.models.base import Base
from ostiary_shared.models.message import Message
from ostiary_shared.models.replica import Receipt, Replica
from ostiary_shared.models.role import Role, RoleGrant, RolePermission
from ostiary_shared.models.schema import SchemaRevision
from ostiary_shared.models.service import Counter, SigningKey
from ostiary_shared.models.session import OneTimeToken, Session
from ostiary_shared.models.site import Denial, Site, SiteRule
from ostiary_shared.models.token import ApiToken, RevokedToken, ServiceClient, SiteSession
from ostiary_shared.models.user import Password, User

__all__ = [
    "ApiToken",
    "AuditEvent",
    "Base",
    "Counter",
    "Denial",
    "Message",
    "OneTimeToken",
    "Password",
    "Receipt",
    "Replica",
    "RevokedToken",
    "Role",
    "RoleGrant",
    "RolePermission",
    "SchemaRevision",
    "ServiceClient",
    "Session",
    "SigningKey",
    "Site",
    "SiteRule",
    "SiteSession",
    "User",
]
