"""The HTTP side of OAuth: forms of the RFCs, a client's credentials in header or body, errors in their words."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus

from quart import Response, jsonify, request

BASIC = 'Basic realm="ostiary"'
BEARER = 'Bearer realm="ostiary", error="invalid_token"'


class OAuthError(Exception):
    """An error of RFC 6749, 5.2. `challenge` says how to come again, on a 401."""

    def __init__(self, error: str, words: str, status: int = 400, challenge: str = BASIC) -> None:
        super().__init__(words)
        self.error = error
        self.words = words
        self.status = status
        self.challenge = challenge


@dataclass(frozen=True, slots=True)
class Sent:
    """What came: the fields of the form, and the client's credentials or the bearer token, if any."""

    fields: dict[str, str]
    client: tuple[str, str] | None = None
    bearer: str = ""

    def needed(self, name: str) -> str:
        """A field that must be there. Raises OAuthError."""
        if not self.fields.get(name):
            raise OAuthError("invalid_request", f"The parameter {name} is missing.")
        return self.fields[name]


async def sent() -> Sent:
    """The form of this request. Raises OAuthError for what the RFCs do not allow; unknown parameters are ignored."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
    form = await request.form
    repeated = [name for name in form if len(form.getlist(name)) > 1]
    if repeated:
        raise OAuthError("invalid_request", f"The parameter {repeated[0][:40]} was sent more than once.")
    fields = {name: form[name] for name in form if form[name]}
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    header = _basic(value.strip()) if scheme.lower() == "basic" else None
    secret = fields.pop("client_secret", "")
    if header and secret:
        raise OAuthError("invalid_request", "Send the client's credentials once: in the header, or in the body.")
    if header and fields.get("client_id", header[0]) != header[0]:
        raise OAuthError("invalid_request", "The client_id in the body is not that of the header.")
    body = (fields["client_id"], secret) if secret and "client_id" in fields else None
    return Sent(fields, header or body, value.strip() if scheme.lower() == "bearer" else "")


def unknown_client() -> OAuthError:
    """The one answer to an unknown service, a wrong secret, no credentials and a service that is switched off."""
    return OAuthError("invalid_client", "These client credentials are not known here.", 401)


def answer_error(error: OAuthError) -> Response:
    """The error as RFC 6749, 5.2 has it."""
    response = jsonify({"error": error.error, "error_description": error.words})
    response.status_code = error.status
    if error.status == 401:
        response.headers["WWW-Authenticate"] = error.challenge
    return response


def _basic(value: str) -> tuple[str, str]:
    """Client id and secret, each form-encoded before they were joined (RFC 6749, 2.3.1)."""
    try:
        client_id, colon, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise unknown_client() from None
    if not colon:
        raise unknown_client()
    return unquote_plus(client_id), unquote_plus(secret)
