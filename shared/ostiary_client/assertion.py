"""Is this identity header genuine? Checks `X-Ostiary-Assertion`, which the gate signs for one host and one minute.

Needs joserfc, and aiohttp where the keys are fetched; nothing of ours.
"""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ostiary_client.session import read_object

LEEWAY_SECONDS = 5
KEPT_SECONDS = 300.0
# An unknown key id makes us look again, but a flood of made-up ones not more often than this.
ASK_AGAIN_SECONDS = 10.0
# After a failure, requests are turned away at once for this long rather than each waiting for a timeout.
PAUSE_SECONDS = 2.0
MAX_TOKEN = 16 * 1024
_TIMEOUT = ClientTimeout(total=5)


class AssertionInvalid(Exception):
    """The header proves nothing; treat the request as nobody's."""


class KeysUnavailable(Exception):
    """The keys could not be fetched, so nothing can be checked; let nobody in."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What Ostiary says about whoever sent the request. `sid` names the session."""

    sub: str
    email: str
    name: str
    roles: tuple[str, ...]
    sid: str


def verify_assertion(token: str, *, audience: str, issuer: str, jwks: Mapping[str, Any]) -> Assertion:
    """What a genuine assertion for the host `audience` says; raises AssertionInvalid for every other one.

    `issuer` is Ostiary's public address. Only ES256 counts, whatever the token itself claims (RFC 8725, 3.1).
    """
    if len(token) > MAX_TOKEN:
        raise AssertionInvalid("too long")
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        found = jwt.decode(token, KeySet.import_key_set({"keys": list(jwks["keys"])}), algorithms=["ES256"])
        rules.validate(found.claims)
        return _read(found.claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AssertionInvalid(type(error).__name__) from error


class Verifier:
    """Checks assertions for one host, with Ostiary's keys fetched when needed and kept for five minutes."""

    def __init__(self, http: ClientSession, issuer: str, audience: str) -> None:
        self._http = http
        self._issuer = issuer.rstrip("/")
        self._audience = audience
        self._jwks: dict[str, Any] = {"keys": []}
        self._fetched_at = -KEPT_SECONDS
        self._failed_at = -PAUSE_SECONDS
        self._turn = asyncio.Lock()

    async def verify(self, token: str) -> Assertion:
        """What a genuine assertion says; raises AssertionInvalid, or KeysUnavailable when nothing can be checked."""
        await self._refresh(_key_id(token))
        return verify_assertion(token, audience=self._audience, issuer=self._issuer, jwks=self._jwks)

    async def _refresh(self, kid: str) -> None:
        async with self._turn:
            now = time.monotonic()
            known = any(key.get("kid") == kid for key in self._jwks["keys"])
            if now - self._fetched_at < (KEPT_SECONDS if known else ASK_AGAIN_SECONDS):
                return
            if now - self._failed_at < PAUSE_SECONDS:
                raise KeysUnavailable("Ostiary did not answer a moment ago")
            try:
                self._jwks = await self._fetch()
            except KeysUnavailable:
                self._failed_at = time.monotonic()
                raise
            self._fetched_at = now

    async def _fetch(self) -> dict[str, Any]:
        url = f"{self._issuer}/.well-known/jwks.json"
        try:
            async with self._http.get(url, timeout=_TIMEOUT, allow_redirects=False) as answer:
                answer.raise_for_status()
                body = await read_object(answer)
        except (ClientError, TimeoutError, ValueError) as error:
            raise KeysUnavailable(f"{url} did not answer with keys") from error
        if not isinstance(body.get("keys"), list):
            raise KeysUnavailable(f"{url} answered with something else than keys")
        return {"keys": [key for key in body["keys"] if isinstance(key, dict)]}


def _read(claims: Mapping[str, Any]) -> Assertion:
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles")
    texts = [claims.get(name, "") for name in ("sub", "email", "name", "sid")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("text")
    subject, email, name, session = texts
    return Assertion(subject, email, name, tuple(roles), session)


def _key_id(token: str) -> str:
    """The key that a token says it was signed with; empty when it says nothing readable."""
    head = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return ""
    found = header.get("kid") if isinstance(header, dict) else None
    return found if isinstance(found, str) else ""
