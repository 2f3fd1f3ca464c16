"""Whom an app believes, and what for: the one value that every middleware and verifier is made with."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Trust:
    """Set by whoever runs the app, never read from a request.

    `issuer` is Ostiary's public address. `audience` is the app's own host, or several, as browsers spell them (with the
    port, if it is not the usual one). `auth_url` is where the keys are fetched, should the app reach Ostiary by another
    address. With `require=False` strangers pass as nobody; otherwise only at the `public` paths: `/healthz` is that one
    path, `/static/*` is everything below.
    """

    issuer: str
    audience: str | tuple[str, ...]
    auth_url: str = ""
    require: bool = True
    public: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError with what to write instead."""
        for name in ("issuer", "auth_url"):
            address = getattr(self, name)
            parts = urlsplit(address)
            if (address or name == "issuer") and not (parts.scheme in {"http", "https"} and parts.hostname):
                raise ValueError(
                    f"{name} is {address!r}; write the address of Ostiary, such as https://login.example.org"
                )
            object.__setattr__(self, name, address.rstrip("/"))
        for host in self.audiences or ("",):
            if not _HOST.fullmatch(host):
                raise ValueError(f"audience is {host!r}; write the app's own host in small letters: wiki.example.org")
        object.__setattr__(self, "public", tuple(self.public))
        if not all(path.startswith("/") for path in self.public):
            raise ValueError(f'public is {self.public!r}; write a tuple of paths, such as ("/healthz", "/static/*")')

    @property
    def audiences(self) -> tuple[str, ...]:
        """The hosts for which an assertion counts."""
        return (self.audience,) if isinstance(self.audience, str) else tuple(self.audience)

    @property
    def keys_url(self) -> str:
        """Where the public keys are."""
        return f"{self.auth_url or self.issuer}/.well-known/jwks.json"

    def lets_pass(self, path: str) -> bool:
        """Whether a stranger may see this path. A path with dot segments is below nothing."""
        if not self.require or path in self.public:
            return True
        plain = not {"", ".", ".."} & set(path.rstrip("/").split("/")[1:]) and "\\" not in path
        return plain and any(path.startswith(public[:-1]) for public in self.public if public.endswith("/*"))
