"""Requests through a proxy as a stranger sends them, with forgeries, and what auth says that arrived of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from ostiary_auth.flows import probe
from ostiary_shared import clock
from ostiary_shared.tokens import Key

WAIT = ClientTimeout(total=10)
MOST = 200_000  # bytes of a body that are read
# An address for documentation (RFC 5737): nobody has it.
FORGED_ADDRESS = "203.0.113.7"
FORGED_ID = "forged-by-a-client"
FORGED = {
    "Remote-User": "forged",
    "Remote_User": "forged",
    "Remote-Groups": "admin",
    "X-Ostiary-Assertion": "forged",
    "X-Forwarded-For": FORGED_ADDRESS,
    "X-Request-Id": FORGED_ID,
}


class NoAnswerError(Exception):
    """Nothing that could be looked at; the text says what happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any = None

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.headers.get("Location", "")


@dataclass(frozen=True, slots=True)
class Prober:
    """Asks one origin. Certificates are checked; no redirect is followed, no cookie kept."""

    http: ClientSession
    origin: str
    key: Key

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request. Raises NoAnswerError."""
        try:
            async with self.http.get(self.origin + path, headers=headers, allow_redirects=False) as response:
                return await _read(response)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoAnswerError(str(error) or type(error).__name__) from None

    async def seen(self, path: str) -> Answer:
        """What arrives of a request full of forgeries, in auth's own words (`json`, or None when it was not auth)."""
        return await self.get(path, {**FORGED, probe.HEADER: probe.mark(self.key, clock.now())})


def session() -> ClientSession:
    """The connections of one examination."""
    return ClientSession(connector=TCPConnector(limit=4), timeout=WAIT, cookie_jar=DummyCookieJar())


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; empty when it is none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} and parts.hostname else ""


async def _read(response: ClientResponse) -> Answer:
    body = await response.content.read(MOST)
    told = None
    if response.content_type == "application/json" or response.content_type.endswith("+json"):
        told = json.loads(body)
    return Answer(response.status, response.headers, body, told)
