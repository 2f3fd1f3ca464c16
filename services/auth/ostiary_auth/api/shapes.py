"""What the JSON doors answer with, for /openapi.json and for people who write clients."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class UserShape(BaseModel):
    """A person as other services see them."""

    id: UUID
    email: str
    name: str
    roles: list[str]
    permissions: list[str]


class SessionShape(BaseModel):
    """A sign-in. It ends at `expires_at` unless it is used before."""

    id: UUID
    assurance: int
    methods: list[str]
    created_at: datetime
    authenticated_at: datetime
    expires_at: datetime


class Signed(BaseModel):
    """Who is signed in."""

    user: UserShape
    session: SessionShape


class Entered(Signed):
    """The same after signing in; `token` only when it was asked for."""

    token: str | None = None


class Told(BaseModel):
    """A sentence for the person."""

    detail: str


class ReceiptShape(BaseModel):
    """After how long no replica granted any more what was taken away: who acknowledged, whose lease ran out instead."""

    milliseconds: int
    acknowledged: list[str]
    lapsed: list[str]


class InForce(BaseModel):
    """Done. `receipt` is null when nobody had what was taken away."""

    receipt: ReceiptShape | None = None


class ToldInForce(InForce):
    """The same with a sentence for the person."""

    detail: str


class PasswordReplaced(InForce):
    """How many other sessions ended and API tokens were revoked; `token` replaces the one a bearer came with."""

    ended: int
    revoked: int
    token: str | None = None


class OwnSessionShape(BaseModel):
    """One place where one is signed in."""

    id: UUID
    device: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


class OwnSessions(BaseModel):
    """All of them, this one first."""

    sessions: list[OwnSessionShape]


class Ended(InForce):
    """How many sessions ended."""

    ended: int


class OwnTokenShape(BaseModel):
    """An API token. What it is allowed: `role:NAME`, and permissions that come by those roles."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class OwnTokens(BaseModel):
    """All that were not revoked, the newest first."""

    tokens: list[OwnTokenShape]


class NewToken(OwnTokenShape):
    """A token just made; `token` is its value, which is never shown again."""

    token: str


class Revoked(InForce):
    """How many API tokens were revoked."""

    revoked: int


class FieldProblem(BaseModel):
    """One field at fault."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable; `reference` comes with every 401 and 403."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    reference: str | None = None
    errors: list[FieldProblem] | None = None
