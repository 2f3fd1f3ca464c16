"""What the OAuth doors take and answer, for /openapi.json. Names and meanings are those of the RFCs."""

from typing import Literal

from pydantic import BaseModel


class TokenForm(BaseModel):
    """RFC 6749, 4.4.2. The client's credentials may stand here instead of in `Authorization: Basic`."""

    grant_type: Literal["client_credentials"]
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""


class TokenAnswer(BaseModel):
    """RFC 6749, 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    scope: str


class HandedToken(BaseModel):
    """RFC 7662, 2.1 and RFC 7009, 2.1."""

    token: str
    token_type_hint: str = ""
    client_id: str = ""
    client_secret: str = ""


class Introspection(BaseModel):
    """RFC 7662, 2.2; everything but `active` is there for a living token alone."""

    active: bool
    token_type: str | None = None
    iss: str | None = None
    aud: str | None = None
    sub: str | None = None
    username: str | None = None
    client_id: str | None = None
    scope: str | None = None
    jti: str | None = None
    iat: int | None = None
    exp: int | None = None
    roles: list[str] | None = None
    permissions: list[str] | None = None


class OAuthProblem(BaseModel):
    """RFC 6749, 5.2."""

    error: str
    error_description: str
