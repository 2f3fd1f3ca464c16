"""The one door to the environment: frozen settings, read once, each also from a file (`OSTIARY_…_FILE`).

A missing or wrong value stops the start with a sentence that says what to write.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from ostiary_shared.crowd import MOST
from ostiary_shared.errors import Misconfigured
from ostiary_shared.networks import Network

PREFIX = "OSTIARY_"
KEYS = "secret_key"
EXAMPLES = ("changeme", "change-me", "secret", "example", "password")


class SettingsError(Misconfigured):
    """The settings cannot be used; the text is for the operator."""


class Settings(BaseModel):
    """What both services are told. Each service adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    public_url: str
    """Where people reach Ostiary, e.g. https://login.example.org. Every link in every mail starts with it."""
    database_url: SecretStr
    """PostgreSQL, e.g. postgresql://ostiary_auth:…@db:5432/ostiary.

    `?passfile=/path` takes the password from a file in the form of ~/.pgpass, `?sslmode=verify-full&sslrootcert=/path`
    asks for TLS and checks whom it talks to.
    """
    secret_key: tuple[SecretStr, ...]
    """At least 32 random characters; each service has its own. `openssl rand -base64 48` makes one.

    Several are separated by spaces, in a file by lines: the first makes, all are accepted.
    """
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of your reverse proxies, separated by commas.

    Only they are believed about a client's address, host and scheme.
    """
    trusted_services: tuple[Network, ...] = ()
    """Addresses or networks that your own services ask from, such as the console: their request ids are believed.

    Nothing else is. Trusted proxies need not be named again.
    """
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many processes serve on this machine; one that dies is replaced."""
    site_name: Annotated[str, Field(max_length=60)] = "Ostiary"
    """The name people see on pages and in mail."""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """debug, info, warning or error."""
    trusted_hosts: tuple[str, ...] = ()
    """Host names under which browsers may ask, separated by commas; `*.example.org` stands for one label more.

    The host of OSTIARY_PUBLIC_URL always may; left empty, any host may. See docs/operating/harden.md.
    """
    tls_cert_file: str = ""
    """Certificate, in PEM, with which this service speaks HTTPS at its own ports. Renewed files are seen by themselves.

    `./ostiary certificates DIR` makes some for your own network.
    """
    tls_key_file: str = ""
    """The certificate's private key, in PEM, without a password."""
    max_connections: Annotated[int, Field(ge=20, le=100_000)] = MOST
    """How many connections each port of a process keeps; beyond it, whoever kept us waiting for longest is cut off."""
    log_addresses: bool = False
    """Whether log lines may hold network addresses and e-mail addresses of people; else they are left out."""
    metrics_listen: str = ""
    """Where figures and health are told inside your network, such as 0.0.0.0:9464; left empty, nowhere.

    `/metrics` is for Prometheus, `/readyz` says what is wrong. Never let a proxy lead there.
    """
    tracing: bool = False
    """Whether traces go to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names; needs the extra `tracing`."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read from `environ` (the process's own by default); raises SettingsError with a sentence per fault."""
        given = _given(cls, os.environ if environ is None else environ)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(
                "\n".join(_sentence(cls, fault) for fault in error.errors(include_input=False))
            ) from None

    @field_validator("*", mode="before")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.isprintable():
            raise ValueError("must be a single line")
        return value

    @field_validator("trusted_proxies", "trusted_services", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        networks = tuple(ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("must name your own; a network of everybody would let anyone claim any address")
        return networks

    @field_validator("metrics_listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("must look like 0.0.0.0:9464")
        return value

    @field_validator("trusted_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        hosts = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        if not all(re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]", host) for host in hosts):
            raise ValueError("must be host names without scheme and port, such as login.example.org,*.example.net")
        return hosts

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?", value):
            raise ValueError("must be an address without a path, such as https://login.example.org")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must look like postgresql://ostiary_auth:…@db:5432/ostiary")
        return value

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        fault = fault_of_keys(tuple(secret.get_secret_value() for secret in value))
        if fault:
            raise ValueError(fault)
        return value

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys of the service; the first makes, all are accepted."""
        return tuple(secret.get_secret_value() for secret in self.secret_key)

    @property
    def secure(self) -> bool:
        """Whether people come by HTTPS."""
        return self.public_url.startswith("https://")


def keys_of(text: str) -> tuple[str, ...]:
    """The keys in a file, one a line; a line that begins with `# ` is a note."""
    return tuple(line for line in text.splitlines() if line.strip() and not line.startswith("# "))


def fault_of_keys(keys: tuple[str, ...]) -> str:
    """Why these cannot be the keys of a service; empty when they can."""
    for number, key in enumerate(keys, start=1):
        guessable = len(set(key)) < 12 or any(word in key.lower() for word in EXAMPLES)
        if len(key) < 32 or guessable or not key.isprintable():
            which = f"key {number} of {len(keys)} " if len(keys) > 1 else ""
            spaces = "; one with spaces in it goes into a file" if which else ""
            return f"{which}must be at least 32 random characters; `openssl rand -base64 48` makes one{spaces}"
    if len(set(keys)) < len(keys):
        return "must not hold the same key twice"
    return "" if keys else "must hold a key"


def _given(cls: type[Settings], environ: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    given: dict[str, str | tuple[str, ...]] = {}
    for name in cls.model_fields:
        variable = PREFIX + name.upper()
        path = environ.get(variable + "_FILE")
        if path:
            text = _from_file(variable, path)
            given[name] = keys_of(text) if name == KEYS else text
        elif environ.get(variable):
            given[name] = tuple(environ[variable].split()) if name == KEYS else environ[variable]
    return given


def _from_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingsError(f"{variable}_FILE names {path}, which cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{variable}_FILE names {path}, which is not text in UTF-8.") from None


def _sentence(cls: type[Settings], fault: Any) -> str:
    if not fault["loc"]:  # several settings that do not go together
        return f"{str(fault['msg']).removeprefix('Value error, ')}."
    name = str(fault["loc"][0])
    variable = PREFIX + name.upper()
    if fault["type"] == "missing":
        return f"{variable} is not set. {cls.model_fields[name].description or ''}"
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f"{variable} cannot be used: {reason}."
