"""The authorization server for programs: token, metadata, keys.

The token endpoint speaks RFC 6749 and not problem+json: its errors are what OAuth client
libraries look for. A limit (429), a body too large (413) and a gateway without room (503) are
HTTP's own and stay problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from gateway.city import City
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.body import CONSENT_BYTES
from gateway.edge.form import read_form
from gateway.errors import (
    DependencyDown,
    Malformed,
    OutcomeUnknown,
    Overloaded,
    StillRunning,
    UnsupportedMediaType,
)
from gateway.oauth.clients import Denied
from gateway.oauth.errors import OAuthCode, oauth_error_bytes
from gateway.oauth.metadata import (
    JWKS_PATH,
    TOKEN_PATH,
    KeySet,
    Metadata,
    key_set,
    metadata,
)
from gateway.oauth.token import Granted
from gateway.waiting_line import Priority

#: RFC 6749 5.1 asks for both.
NEVER_STORED = {"cache-control": "no-store", "pragma": "no-cache"}

#: A key that was removed is dead everywhere after a minute.
_A_MINUTE = {"cache-control": "public, max-age=60"}


@dataclass
class FormOperation(Operation):
    """An endpoint's place in the OpenAPI document that reads its form by itself."""

    parameters_of_form: ClassVar[tuple[str, ...]] = ()
    required_of_form: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        form = Schema(
            type=OpenAPIType.OBJECT,
            properties=dict.fromkeys(self.parameters_of_form, text),
            required=list(self.required_of_form),
        )
        media = {"application/x-www-form-urlencoded": OpenAPIMediaType(schema=form)}
        self.request_body = RequestBody(content=media, required=True)


class TokenOperation(FormOperation):
    """The token endpoint's: what each grant type needs, its own text says."""

    parameters_of_form = (
        *("grant_type", "client_assertion_type", "client_assertion", "client_id", "scope"),
        *("code", "redirect_uri", "code_verifier"),
        *("subject_token", "subject_token_type", "audience", "requested_token_type"),
        *("assertion", "visit"),
    )
    required_of_form = parameters_of_form[:3]


@post(TOKEN_PATH, opt={ACCESS: Access.PUBLIC}, status_code=200, operation_class=TokenOperation)
async def token(request: Request[Any, Any, Any]) -> Response[Granted]:
    """Exchange a signed client assertion for an access token (RFC 6749 4.4, RFC 7523 2.2); for
    cities also a code for a token, and that for a grant (RFC 6749 4.1.3, RFC 8693), and another
    city's grant for a visitor's token (RFC 7523 2.1)."""
    form = await form_of(request)
    if form is None:
        return error(OAuthCode.INVALID_REQUEST)
    address = request.client.host if request.client else ""
    city = city_of(request)
    # Whose it is shows later, and a hospital without a token cannot ask at all.
    async with city.admission.room(Priority.HOSPITAL):
        try:
            answer = await city.token_endpoint.answer(form, address, request.scope["headers"])
        except (DependencyDown, Overloaded, OutcomeUnknown, StillRunning):
            return error(OAuthCode.TEMPORARILY_UNAVAILABLE)
    if isinstance(answer, Denied):
        return denied(answer, city)
    return granted(answer)


def granted(answer: Granted) -> Response[Granted]:
    """The answer with a token."""
    return Response(answer, headers=NEVER_STORED)


def denied(answer: Denied, city: City) -> Response[Any]:
    """The answer without one, with the nonce that it asks for (RFC 9449 8)."""
    nonce = city.proofs.nonce() if answer.code is OAuthCode.USE_DPOP_NONCE else None
    return error(answer.code, nonce)


@get("/.well-known/oauth-authorization-server", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def server_metadata(request: Request[Any, Any, Any]) -> Response[Metadata]:
    """What this authorization server can do (RFC 8414)."""
    city = city_of(request)
    offered = metadata(city.settings.issuer, city.registry, city.token_endpoint.grant_types)
    return Response(offered, headers=_A_MINUTE)


@get(JWKS_PATH, opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def jwks(request: Request[Any, Any, Any]) -> Response[KeySet]:
    """The public keys of the access tokens (RFC 7517)."""
    return Response(key_set(city_of(request).tokens.public_keys), headers=_A_MINUTE)


async def form_of(request: Request[Any, Any, Any]) -> dict[str, str] | None:
    """The parameters of a request to this server, or None where they are malformed."""
    # Parameters of the address end up in logs and histories (RFC 6749 2.3.1), and an
    # Authorization field would be a second way to authenticate (2.3).
    if request.scope["query_string"] or "authorization" in request.headers:
        return None
    try:
        form = await read_form(request.scope, request.receive, limit_bytes=CONSENT_BYTES)
    except (Malformed, UnsupportedMediaType):
        return None
    # A parameter without a value counts as left out (RFC 6749 3.2).
    return {name: value for name, value in form.items() if value}


def error(code: OAuthCode, nonce: str | None = None) -> Response[Any]:
    """The answer to a client that gets nothing (RFC 6749 5.2)."""
    status, headers, body = oauth_error_bytes(code)
    texts = {name.decode(): value.decode() for name, value in headers}
    media_type = texts.pop("content-type")
    del texts["content-length"]  # Litestar counts for itself
    if nonce is not None:
        texts["dpop-nonce"] = nonce
    return Response(body, status_code=status, media_type=media_type, headers=texts)


HANDLERS: list[HTTPRouteHandler] = [token, server_metadata, jwks]
