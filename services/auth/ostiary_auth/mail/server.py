"""The SMTP server as OSTIARY_SMTP_URL describes it, and how far its connection is protected."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ostiary_auth.settings import AuthSettings
from ostiary_shared.settings import SettingsError

LOCAL = {"localhost", "127.0.0.1", "::1"}


class Tls(StrEnum):
    """When the connection is encrypted."""

    NEVER = "never"
    AUTO = "auto"
    REQUIRED = "required"
    AT_ONCE = "at once"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes out, and as whom."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """What aiosmtplib is to be told. A demanded TLS checks the certificate (SSL_CERT_FILE adds an authority).

        With AUTO it does not: who could forge a certificate could as well hide that the server offers TLS.
        """
        context = ssl.create_default_context()
        if self.tls is Tls.AUTO:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return {
            "hostname": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "use_tls": self.tls is Tls.AT_ONCE,
            "tls_context": context,
            "start_tls": {Tls.AUTO: None, Tls.REQUIRED: True}.get(self.tls, False),
        }


def read(settings: AuthSettings) -> Server:
    """The server of the settings. Raises SettingsError when they contradict themselves."""
    parts = urlsplit(settings.smtp_url.get_secret_value())
    tls = _tls(parts)
    if parts.username and tls not in {Tls.REQUIRED, Tls.AT_ONCE}:
        raise _wrong("a password is only sent encrypted; take starttls=never or starttls=auto away, or the password")
    try:
        port = parts.port or (465 if tls is Tls.AT_ONCE else 587 if parts.username else 25)
    except ValueError:
        raise _wrong("the port must be a number up to 65535") from None
    username, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return Server(parts.hostname or "", port, tls, username, password)


def _tls(parts: SplitResult) -> Tls:
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = asked.pop("starttls", "")
    if asked or wanted not in {"", Tls.NEVER, Tls.AUTO, Tls.REQUIRED}:
        raise _wrong("after the ? only starttls=required, starttls=auto or starttls=never is known")
    if parts.scheme == "smtps":
        if wanted:
            raise _wrong("smtps:// is encrypted from the start; leave starttls out")
        return Tls.AT_ONCE
    if wanted:
        return Tls(wanted)
    if parts.username:
        return Tls.REQUIRED
    return Tls.NEVER if parts.hostname in LOCAL else Tls.AUTO


def _wrong(reason: str) -> SettingsError:
    return SettingsError(f"OSTIARY_SMTP_URL cannot be used: {reason}.")
