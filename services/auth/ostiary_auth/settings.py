"""What the auth service is told. One sentence a knob; docs/settings.md is made from them."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from ostiary_shared.settings import Settings


class AuthSettings(Settings):
    """Everything an operator can turn on the auth service and its courier."""

    smtp_url: Annotated[SecretStr, Field(description="Where mail goes out: smtp://host:25 (add ?starttls=required), or smtps://user:password@host:465.")]
    mail_from: Annotated[str, Field(description="The sender of all mail, e.g. Ostiary <login@example.org>.", min_length=3, max_length=200)]
    cookie_domain: Annotated[str, Field(description="Share the sign-in among the hosts of this domain, e.g. example.org. Leave empty to keep the cookie on one host.")] = ""
    registration: Annotated[str, Field(description="Who may sign up: open or closed (accounts come by invitation).", pattern="^(open|closed)$")] = "open"
    argon2_memory_kib: Annotated[int, Field(description="Memory of one password hash, in KiB; 19456 at least (ASVS 11.4.2).", ge=19456, le=1048576)] = 19456
    argon2_time_cost: Annotated[int, Field(description="Passes of one password hash; 2 at least.", ge=2, le=20)] = 2
    argon2_threads: Annotated[int, Field(description="How many hashes are computed at once in this process; 0 takes the number of cores.", ge=0, le=64)] = 0
    argon2_queue: Annotated[int, Field(description="How many more sign-ins may wait for a hash before the answer is 503.", ge=1, le=10000)] = 64
    session_idle_hours: Annotated[int, Field(description="Hours after which an unused session ends.", ge=1, le=24)] = 1
    session_max_hours: Annotated[int, Field(description="Hours after which a session ends in any case.", ge=1, le=72)] = 24
    remember_days: Annotated[int, Field(description="Days a remembered sign-in lasts at most; it may be unused for half of them.", ge=1, le=30)] = 30

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("must look like smtp://host:25 or smtps://user:password@host:465")
        return value

    @model_validator(mode="after")
    def _cookie_covers_us(self) -> "AuthSettings":
        host = urlsplit(self.public_url).hostname or ""
        domain = self.cookie_domain
        if domain and host != domain and not host.endswith(f".{domain}"):
            raise ValueError(f"OSTIARY_COOKIE_DOMAIN {domain} does not cover {host}, the host of OSTIARY_PUBLIC_URL")
        return self
