"""The only place that calls auth: who is this, set this password, give this service a secret, what is this code.

Every call carries the visitor's own token: auth decides by the person, never by this service (ASVS 8.3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ssl import SSLContext
from typing import Any
from urllib.parse import quote
from uuid import UUID

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)

from ostiary_client.session import AuthUnavailable, SessionAnswer, fetch_session, read_object
from ostiary_shared import request_id, spans
from ostiary_shared.access import Decision
from ostiary_shared.errors import Busy, Conflict, FieldError, Invalid, NotFound
from ostiary_shared.revocation import Receipt

# Seconds. Asking who somebody is takes a millisecond; hashing a password may have to wait for its turn.
ASK = ClientTimeout(total=1.5)
HASH = ClientTimeout(total=8)
CONNECTIONS = 50
KEEP_ALIVE = 15
SERVICES = "/api/v1/service-clients"

AWAY = (
    "We cannot check who you are at the moment, so nothing was opened or changed. This mends itself; please try again."
)
NOT_DONE = "The sign-in service does not answer at the moment, so this was not done. Please try again in a few seconds."


@dataclass(frozen=True, slots=True)
class Explained:
    """A refusal as auth explains it. Without a person it was a stranger."""

    code: str
    at: datetime
    count: int
    method: str
    url: str
    user_id: UUID | None
    email: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class ServiceSecret:
    """What a service signs in with. The secret is shown once, and kept by nobody."""

    id: UUID
    client_id: str
    secret: str
    name: str
    scopes: list[str]

    def __repr__(self) -> str:
        return f"ServiceSecret({self.client_id}, ***)"


class AuthClient:
    """The process's connections to auth, kept open between requests. No cookie is kept.

    By https, auth must show a certificate for its host that `trusted` (or else this system) vouches for.
    """

    def __init__(self, url: str, trusted: SSLContext | None = None) -> None:
        self.url = url
        self._trusted = trusted
        self._http: ClientSession | None = None

    async def open(self) -> None:
        """Be ready to ask; nothing is connected before the first question."""
        connector = TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE, ssl=self._trusted or True)
        self._http = ClientSession(connector=connector, timeout=ASK, cookie_jar=DummyCookieJar(), middlewares=(_along,))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def trouble(self) -> str:
        """Why auth cannot be asked; empty when it can."""
        try:
            async with self._open().get(f"{self.url}/healthz", allow_redirects=False) as response:
                return "" if response.status == 200 else f"auth at {self.url} answers {response.status}."
        except (Busy, ClientError, TimeoutError, OSError) as error:
            return f"auth at {self.url} does not answer: {type(error).__name__}. Is OSTIARY_AUTH_URL right?"

    async def session(self, token: str | None) -> SessionAnswer:
        """Whom a token belongs to, at this moment. Raises Busy when auth cannot say."""
        try:
            return await fetch_session(self._open(), self.url, token)
        except AuthUnavailable as error:
            raise Busy(AWAY) from error

    async def set_password(self, token: str, user_id: UUID, password: str) -> Receipt | None:
        """Let auth hash and keep a new password; when that was in force. Raises Invalid (field `password`)."""
        status, body = await self._call("PUT", f"/api/v1/users/{user_id}/password", token, {"password": password})
        _complain(status, body, "There is no such person.")
        return Receipt.from_json(body.get("receipt"))

    async def denial(self, token: str, code: str) -> Explained | None:
        """What auth knows of a refusal's code, of either kind; None when there is no such code."""
        status, body = await self._call("GET", f"/api/v1/denials/{quote(code, safe='')}", token)
        if status in {400, 404, 422}:
            return None
        if status != 200:
            raise Busy(NOT_DONE)
        try:
            return _explained(body)
        except (KeyError, TypeError, ValueError) as error:
            raise Busy(NOT_DONE) from error

    async def create_service(self, token: str, name: str, scopes: Sequence[str]) -> ServiceSecret:
        """Let auth make a service known. Raises Invalid (fields `name`, `scopes`)."""
        return await self._secret("", token, {"name": name, "scopes": list(scopes)})

    async def replace_service_secret(self, token: str, service_id: UUID) -> ServiceSecret:
        """Let auth give a service another secret. Raises NotFound."""
        return await self._secret(f"/{service_id}/secret", token)

    async def delete_service(self, token: str, service_id: UUID) -> None:
        """Let auth forget a service. Raises NotFound."""
        status, body = await self._call("DELETE", f"{SERVICES}/{service_id}", token)
        _complain(status, body, "There is no such service.")

    async def _secret(self, path: str, token: str, body: dict[str, Any] | None = None) -> ServiceSecret:
        status, made = await self._call("POST", SERVICES + path, token, body)
        _complain(status, made, "There is no such service.")
        try:
            return ServiceSecret(
                UUID(made["id"]), str(made["client_id"]), str(made["secret"]), str(made["name"]), list(made["scopes"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Busy(NOT_DONE) from error

    async def _call(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        timeout = HASH if method == "PUT" else ASK
        try:
            async with self._open().request(
                method, self.url + path, headers=headers, json=body, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, {} if response.status == 204 else await read_object(response)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise Busy(NOT_DONE) from error

    def _open(self) -> ClientSession:
        if self._http is None:
            raise Busy(AWAY)
        return self._http


async def _along(asked: ClientRequest, ask: ClientHandlerType) -> ClientResponse:
    """The id of the visitor's request goes along, and the trace: auth's lines name the same one."""
    known = request_id.current()
    if known:
        asked.headers[request_id.HEADER] = known
    with spans.tracer().asking(f"{asked.method} auth") as span:
        spans.tracer().send_along(asked.headers)
        response = await ask(asked)
        span.note("http.response.status_code", response.status)
        return response


def _complain(status: int, body: dict[str, Any], missing: str) -> None:
    """Raise what the answer to an act means, unless it was done: in auth's own words where they are for people."""
    if status == 422:
        errors = [fault for fault in body.get("errors") or () if isinstance(fault, dict)]
        known = [FieldError(str(fault.get("field")), str(fault.get("message"))) for fault in errors]
        raise Invalid(*known) if known else Conflict("The sign-in service does not take this.")
    if status == 404:
        raise NotFound(missing)
    if status in {401, 403, 409}:
        raise Conflict(str(body.get("detail") or "The sign-in service does not allow this."))
    if status not in {200, 201, 204}:
        raise Busy(NOT_DONE)


def _explained(body: dict[str, Any]) -> Explained:
    user = body["user"] or {"id": None, "email": ""}
    return Explained(
        code=str(body["code"]),
        at=datetime.fromisoformat(body["at"]),
        count=int(body["count"]),
        method=str(body["method"]),
        url=str(body["url"]),
        user_id=UUID(user["id"]) if user["id"] else None,
        email=str(user["email"]),
        decision=Decision.from_json(body["decision"]),
    )
