"""A protected site as the browser names it, and the addresses of its own door to sign in (`/.ostiary/…`). Pure."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from ostiary_auth.settings import AuthSettings
from ostiary_shared.site_address import OURS, objection_to_host, without_default_port

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Place:
    """An origin. `host` is lower case, with its port unless the scheme implies it: what rules and tokens name, too."""

    scheme: str
    host: str

    @classmethod
    def told(cls, scheme: str, host: str) -> Self | None:
        """The place that a proxy names; None when it is not written the one canonical way."""
        plain, host = SCHEMES.get(scheme.lower()), host.lower() if host.isascii() else ""
        if plain is None or objection_to_host(host):
            return None
        return cls(plain, without_default_port(host, plain))

    @property
    def origin(self) -> str:
        """As browsers write it."""
        return f"{self.scheme}://{self.host}"

    def has_own_door(self, settings: AuthSettings) -> bool:
        """Whether the site needs a cookie of its own, since it does not see ours.

        Over plain HTTP a secure sign-in does not go at all: whoever listens would have it.
        """
        if settings.secure and self.scheme != "https":
            return False
        return not settings.shares_cookie_with(self.scheme, self.host)

    def sign_in(self, path: str, *, again: bool = False) -> str:
        """Where to sign in for this site alone, and to come back from to `path`."""
        return f"{self.origin}{OURS}sign-in?next={quote(path, safe='')}{'&again=1' if again else ''}"
