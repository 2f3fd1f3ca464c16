"""What the admin service is told. One sentence a knob; docs/settings.md is made from them."""

from urllib.parse import urlsplit

from pydantic import field_validator

from ostiary_shared.settings import Settings


class AdminSettings(Settings):
    """Everything an operator can turn on the admin service."""

    auth_url: str
    """Where the admin service reaches auth, inside your network, e.g. http://auth:8000."""
    cookie_domain: str = ""
    """The same as for auth: the domain that shares the sign-in. Leave empty for one host."""

    @field_validator("auth_url")
    @classmethod
    def _reachable(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as http://auth:8000")
        return value.rstrip("/")
