"""What the doors and flows of this service use beside the rows: the settings and the line to auth."""

from dataclasses import dataclass

from ostiary_admin.auth_client import AuthClient
from ostiary_admin.settings import AdminSettings
from ostiary_shared.work import Work


@dataclass(frozen=True, slots=True)
class AdminTools:
    """One per process."""

    settings: AdminSettings
    auth: AuthClient


AdminWork = Work[AdminTools]


def make_tools(settings: AdminSettings) -> AdminTools:
    """The tools that the settings call for."""
    return AdminTools(settings, AuthClient(settings.auth_url))
