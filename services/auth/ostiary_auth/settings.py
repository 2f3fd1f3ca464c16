"""What the auth service is told. One sentence a knob; docs/settings.md is made from them."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from ostiary_shared.settings import Settings


class AuthSettings(Settings):
    """Everything an operator can turn on the auth service and its courier."""

    smtp_url: SecretStr
    """Where mail goes out: smtp://host:25 (add ?starttls=required), or smtps://user:password@host:465."""
    mail_from: Annotated[str, Field(min_length=3, max_length=200)]
    """The sender of all mail, e.g. Ostiary <login@example.org>."""
    cookie_domain: str = ""
    """Share the sign-in among the hosts of this domain, e.g. example.org. Left empty, the cookie stays on one host."""
    registration: Annotated[str, Field(pattern="^(open|closed)$")] = "open"
    """Who may sign up: open or closed (accounts come by invitation)."""
    argon2_memory_kib: Annotated[int, Field(ge=19456, le=1048576)] = 19456
    """Memory of one password hash, in KiB; 19456 at least (ASVS 11.4.2)."""
    argon2_time_cost: Annotated[int, Field(ge=2, le=20)] = 2
    """Passes of one password hash; 2 at least."""
    argon2_threads: Annotated[int, Field(ge=0, le=64)] = 0
    """How many hashes are computed at once on this host, by all its workers together; 0 takes the number of cores."""
    argon2_queue: Annotated[int, Field(ge=1, le=10000)] = 64
    """How many more sign-ins may wait for a hash in one process before the answer is 503."""
    runtime_dir: str = ""
    """Folder in which the processes of this host share that limit; left empty, the system's temporary one."""
    memory_sessions: Annotated[int, Field(ge=0, le=10_000_000)] = 100_000
    """How many living sessions each process remembers, some 350 bytes each; 0 asks the database every time."""
    gate_listen: str = ""
    """Where proxies ask the gate fastest: unix:/run/ostiary/gate.sock, or an address such as 127.0.0.1:8010."""
    signing_key_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """Days after which another key signs who somebody is. Nobody notices."""
    session_idle_hours: Annotated[int, Field(ge=1, le=24)] = 1
    """Hours after which an unused session ends."""
    session_max_hours: Annotated[int, Field(ge=1, le=72)] = 24
    """Hours after which a session ends in any case."""
    remember_days: Annotated[int, Field(ge=1, le=30)] = 30
    """Days a remembered sign-in lasts at most; it may be unused for half of them."""

    def shares_cookie_with(self, scheme: str, host: str) -> bool:
        """Whether browsers send our own session cookie to `scheme://host[:port]`; ports make no difference."""
        if self.secure and scheme != "https":
            return False
        name, domain = urlsplit(f"//{host}").hostname or "", self.cookie_domain
        if domain:
            return name == domain or name.endswith(f".{domain}")
        return name == urlsplit(self.public_url).hostname

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("must look like smtp://host:25 or smtps://user:password@host:465")
        return value

    @field_validator("gate_listen")
    @classmethod
    def _listenable(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value and not value.startswith("unix:/") and not (host and colon and port.isdigit() and int(port) < 65536):
            raise ValueError("must look like unix:/run/ostiary/gate.sock or 127.0.0.1:8010")
        return value

    @field_validator("cookie_domain")
    @classmethod
    def _registrable(cls, value: str) -> str:
        if value and not re.fullmatch(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+", value):
            raise ValueError("must be a domain of yours in lower case, such as example.org, without a leading dot")
        return value

    @model_validator(mode="after")
    def _cookie_covers_us(self) -> "AuthSettings":
        host = urlsplit(self.public_url).hostname or ""
        domain = self.cookie_domain
        if domain and host != domain and not host.endswith(f".{domain}"):
            raise ValueError(f"OSTIARY_COOKIE_DOMAIN {domain} does not cover {host}, the host of OSTIARY_PUBLIC_URL")
        return self
