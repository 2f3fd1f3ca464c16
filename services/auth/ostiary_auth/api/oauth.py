"""OAuth for services: a token for credentials, whose a token is, and handing one back (RFC 6749, 7662, 7009, 8414)."""

from quart import Blueprint, Response, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import DataSource, document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.oauth_shapes import HandedToken, Introspection, OAuthProblem, TokenAnswer, TokenForm
from ostiary_auth.doorway.oauth import BEARER, OAuthError, Sent, answer_error, sent, unknown_client
from ostiary_auth.flows import introspect as introspecting
from ostiary_auth.flows import revoke_token, service_tokens
from ostiary_auth.flows.service_tokens import BeyondScope
from ostiary_auth.tools import AuthWork
from ostiary_shared.web.door import JUDGED_WITHIN, Unlimited, door
from ostiary_shared.web.kit import kit
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("oauth", __name__)

METHODS = ["client_secret_basic", "client_secret_post"]


@blueprint.post("/oauth/token")
@door(JUDGED_WITHIN, limits.OAUTH)
@document_request(TokenForm, source=DataSource.FORM)
@document_response(TokenAnswer, 200)
@document_response(OAuthProblem, 400)
@document_response(OAuthProblem, 401)
@tag(["for services"])
async def token() -> ResponseReturnValue:
    """A signed token of five minutes, in which the service speaks for itself; never for a person."""
    came = await sent()
    grant = came.needed("grant_type")
    async with begin_work() as work:
        client = await service_tokens.authenticate(work, *came.client) if came.client else None
        if client is None:
            raise unknown_client()
        if grant != "client_credentials":
            raise OAuthError("unsupported_grant_type", "There is client_credentials alone.")
        issued = await service_tokens.issue(work, client, came.fields.get("scope", ""))
    if isinstance(issued, BeyondScope):
        raise OAuthError("invalid_scope", "The service was not given every scope that it asks for.")
    return jsonify(TokenAnswer(access_token=issued.token, expires_in=issued.seconds, scope=issued.scope).model_dump())


@blueprint.post("/oauth/introspect")
@door(JUDGED_WITHIN, limits.INTROSPECT)
@document_request(HandedToken, source=DataSource.FORM)
@document_response(Introspection, 200)
@document_response(OAuthProblem, 401)
@tag(["for services"])
async def introspect() -> ResponseReturnValue:
    """Whose is this token, and what may they do? Of a token that is not alive the answer says that alone."""
    came = await sent()
    async with begin_work() as work:
        await _service(work, came)
        found = await introspecting.introspect(work, came.needed("token"))
    return jsonify(found)


@blueprint.post("/oauth/revoke")
@door(JUDGED_WITHIN, limits.OAUTH)
@document_request(HandedToken, source=DataSource.FORM)
@document_response(dict[str, object], 200)
@document_response(OAuthProblem, 401)
@tag(["for services"])
async def revoke() -> ResponseReturnValue:
    """End a session or an API token by showing it, or a service's own token with its credentials. 200 in any case."""
    came = await sent()
    async with begin_work() as work:
        client = await service_tokens.authenticate(work, *came.client) if came.client else None
        if came.client and client is None:
            raise unknown_client()
        await revoke_token.revoke(work, came.needed("token"), client)
    return jsonify({})


@blueprint.get("/.well-known/oauth-authorization-server")
@door(JUDGED_WITHIN, Unlimited("a public document"))
@document_response(dict[str, object], 200)
@tag(["for services"])
async def metadata() -> ResponseReturnValue:
    """What there is, and where (RFC 8414)."""
    us = kit().settings.public_url
    return jsonify(
        {
            "issuer": us,
            "token_endpoint": f"{us}/oauth/token",
            "introspection_endpoint": f"{us}/oauth/introspect",
            "revocation_endpoint": f"{us}/oauth/revoke",
            "jwks_uri": f"{us}/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": METHODS,
            "introspection_endpoint_auth_methods_supported": METHODS,
            "revocation_endpoint_auth_methods_supported": [*METHODS, "none"],
        }
    )


@blueprint.errorhandler(OAuthError)
async def _told(error: OAuthError) -> Response:
    return answer_error(error)


async def _service(work: AuthWork, came: Sent) -> None:
    """Raise OAuthError unless a service asks: by its credentials, or by a token that it got for them."""
    if came.client:
        if await service_tokens.authenticate(work, *came.client) is None:
            raise unknown_client()
    elif came.bearer:
        if await service_tokens.read(work, came.bearer) is None:
            raise OAuthError("invalid_token", "This token is not that of a service, or it is over.", 401, BEARER)
    else:
        raise unknown_client()
