"""What the doors and flows of this service use beside the rows: the settings and the line to auth."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ostiary_shared import tls
from ostiary_shared.work import Work

if TYPE_CHECKING:  # flows and queries use none of these, and the operator's commands load only what they use
    from ostiary_admin.auth_client import AuthClient
    from ostiary_admin.settings import AdminSettings


@dataclass(frozen=True, slots=True)
class AdminTools:
    """One per process."""

    settings: "AdminSettings"
    auth: "AuthClient"


AdminWork = Work[AdminTools]


def make_tools(settings: "AdminSettings") -> AdminTools:
    """The tools that the settings call for."""
    from ostiary_admin.auth_client import AuthClient  # noqa: PLC0415 - see above

    trusted = tls.trusted(settings.auth_ca_file) if settings.auth_ca_file else None
    return AdminTools(settings, AuthClient(settings.auth_url, trusted))
