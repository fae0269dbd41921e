"""Another city's request: from its backend (RFC 9126), then by the citizen's browser.

The first answers as the token endpoint does. The second is where people arrive, so what is wrong is
a page (gateway/web/faults.py), or goes back to the city once it is certain whose address that is.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.cookies import cookie
from gateway.edge.form import parse_form
from gateway.edge.login import sent_to
from gateway.edge.oauth import NEVER_STORED, FormOperation, error, form_of
from gateway.errors import DependencyDown, Malformed, OutcomeUnknown, Overloaded
from gateway.oauth.clients import Denied
from gateway.oauth.errors import OAuthCode
from gateway.oauth.metadata import AUTHORIZE_PATH, PAR_PATH
from gateway.oauth.pushed import Pushed
from gateway.oidc import ATTEMPT_LIFE_S


class PushOperation(FormOperation):
    """The endpoint's place in the OpenAPI document."""

    parameters_of_form = (
        *("client_id", "client_assertion_type", "client_assertion", "response_type"),
        *("redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "cnf_jkt"),
    )
    required_of_form = parameters_of_form[1:]


@post(PAR_PATH, opt={ACCESS: Access.PUBLIC}, status_code=201, operation_class=PushOperation)
async def push(request: Request[Any, Any, Any]) -> Response[Pushed]:
    """Another city asks that a citizen be recognised there (RFC 9126 2)."""
    form = await form_of(request)
    if form is None:
        return error(OAuthCode.INVALID_REQUEST)
    address = request.client.host if request.client else ""
    try:
        answer = await city_of(request).pushed_requests.answer(form, address)
    except (DependencyDown, Overloaded, OutcomeUnknown):
        return error(OAuthCode.TEMPORARILY_UNAVAILABLE)
    if isinstance(answer, Denied):
        return error(answer.code)
    return Response(answer, status_code=201, headers=NEVER_STORED)


@get(AUTHORIZE_PATH, opt={ACCESS: Access.PUBLIC}, status_code=303)
async def authorize(request: Request[Any, Any, Any]) -> Response[None]:
    """Open a request that was pushed, once, and sign in afresh for it."""
    city = city_of(request)
    try:
        asked = parse_form(request.scope["query_string"])
    except Malformed:
        asked = {}  # refused as one that says nothing, and on record
    sent = await city.authorization.open(asked)
    if sent.login is None:
        return sent_to(sent.address, [])
    return sent_to(sent.address, [cookie(city.settings, "login", sent.login, ATTEMPT_LIFE_S)])


HANDLERS: list[HTTPRouteHandler] = [push, authorize]
