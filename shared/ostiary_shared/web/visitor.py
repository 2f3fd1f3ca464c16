"""Quart-Auth carrying an opaque session token: the cookie is the token, the user is looked up when asked for.

Nothing is signed here, so the two services share no secret; a token of the wrong form is never looked up.
"""

import warnings
from typing import Any, cast

from itsdangerous import BadSignature
from quart import Quart, Response, request
from quart_auth import Action, AuthUser, QuartAuth, current_user, login_user

from ostiary_shared.identity import Presented
from ostiary_shared.settings import Settings
from ostiary_shared.tokens import PERSONAL, SESSION, well_formed
from ostiary_shared.web.cookies import sole
from ostiary_shared.web.kit import kit

# Quart-Auth sees the proxy's plain request, not the browser's HTTPS, which PUBLIC_URL vouches for.
warnings.filterwarnings("ignore", message="Secure cookies will be ignored", module="quart_auth")
REMEMBERED_SECONDS = 30 * 24 * 3600


class OpaqueToken:
    """The serializer Quart-Auth asks for: the token itself, if it has the form of one."""

    def __init__(self, secret: Any, salt: Any) -> None:
        """Both are ignored: there is nothing to sign."""

    def dumps(self, token: str) -> str:
        """The cookie's value."""
        return token

    def loads(self, token: str, max_age: int | None = None) -> str:  # noqa: ARG002 - the row knows the age
        """The token, or BadSignature when it cannot be one."""
        if not well_formed(token, SESSION):
            raise BadSignature("not a session token")
        return token


class Visitor(AuthUser):
    """Whoever sends the request. `auth_id` is the session token, never a user id."""

    def __init__(
        self, auth_id: str | None, action: Action = Action.PASS, *, carried: bool = False, bearer: bool = False
    ) -> None:
        super().__init__(auth_id, action)
        self.carried = carried or auth_id is not None
        self.bearer = bearer
        self._presented: Presented | None = None

    async def presented(self) -> Presented:
        """What the request brought; asked of the service once per request."""
        if self._presented is None:
            self._presented = await kit().resolve(self.auth_id) if self.auth_id else Presented(carried=self.carried)
        return self._presented

    @property
    async def is_authenticated(self) -> bool:
        """Whether a session was found (alive or not is the decision's business)."""
        return (await self.presented()).session is not None


class Visitors(QuartAuth):
    """Reads the token from `Authorization: Bearer`, else from the cookie; writes the cookie only."""

    user_class = Visitor
    # Duck-typed: dumps and loads are all that Quart-Auth uses.
    serializer_class = OpaqueToken  # type: ignore[assignment]

    def load_bearer(self) -> str | None:
        """The session's token, or a program's.

        The latter counts here alone, never in a cookie; and only where a door takes it, which `Kit.resolve` knows.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and well_formed(token.strip(), PERSONAL):
            return token.strip()
        return super().load_bearer()

    def load_cookie(self) -> str | None:
        """The token of our one cookie; of two, neither."""
        value = self._cookie()
        return self.load_token(value.decode("latin-1")) if value else None

    def resolve_user(self) -> AuthUser:
        """The visitor of this request.

        Only a token of ours counts as one that no other site can send: browsers attach Basic credentials by themselves.
        """
        token = self.load_bearer()
        if token is not None:
            return Visitor(token, bearer=True)
        tried = request.headers.get("Authorization", "")[:7].lower() == "bearer "
        return Visitor(self.load_cookie(), carried=tried or self._cookie() is not None)

    async def after_request(self, response: Response) -> Response:
        """Write or clear the cookie, unless the visitor came with a bearer token."""
        if getattr(self.load_user(), "bearer", False):
            return response
        return await super().after_request(response)

    def _cookie(self) -> bytes | None:
        lines = [line.encode("latin-1", "replace") for line in request.headers.getlist("Cookie")]
        return sole(lines, str(self.cookie_name).encode())


def carry_visitors(app: Quart, settings: Settings, cookie_domain: str = "") -> None:
    """Let an app know its visitors by the session cookie that the settings call for (RFC 6265bis prefixes)."""
    Visitors(
        app,
        cookie_name=cookie_name(settings, cookie_domain),
        cookie_domain=cookie_domain or None,
        cookie_secure=settings.secure,
        cookie_samesite="Lax",
        duration=REMEMBERED_SECONDS,
        salt="unused",
    )


def cookie_name(settings: Settings, cookie_domain: str = "", stem: str = "ostiary") -> str:
    """`__Host-` where the cookie stays on one host, `__Secure-` where a domain shares it, bare over plain HTTP."""
    if not settings.secure:
        return stem
    return f"__Secure-{stem}" if cookie_domain else f"__Host-{stem}"


def carry(token: str, *, remember: bool = False) -> None:
    """Set the session cookie with this answer: for a month, or until the browser closes."""
    login_user(Visitor(token), remember=remember)


def visitor() -> Visitor:
    """Whoever sends this request."""
    # Werkzeug's documented way out of a proxy.
    return cast("Visitor", cast("Any", current_user)._get_current_object())  # noqa: SLF001
