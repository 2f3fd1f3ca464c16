"""What the admin service is told. One sentence a knob; docs/settings.md is made from them."""

from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from ostiary_shared.settings import Settings


class AdminSettings(Settings):
    """Everything an operator can turn on the admin service."""

    auth_url: str
    """Where the admin service reaches auth, inside your network, e.g. http://auth:8000."""
    auth_ca_file: str = ""
    """The CA, in PEM, that must have signed auth's certificate when OSTIARY_AUTH_URL is https; no other will do.

    Left empty, those that this system trusts.
    """
    cookie_domain: str = ""
    """The same as for auth: the domain that shares the sign-in. Leave empty for one host."""

    @field_validator("auth_url")
    @classmethod
    def _reachable(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as http://auth:8000")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _ca_is_of_use(self) -> "AdminSettings":
        if self.auth_ca_file and not self.auth_url.startswith("https://"):
            raise ValueError("OSTIARY_AUTH_CA_FILE is set, so OSTIARY_AUTH_URL must begin with https://")
        return self
