"""Signing in and out: to the identity provider, back, and away."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from gateway.city import City
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.cookies import cookie
from gateway.edge.form import parse_form
from gateway.errors import LoginRefused, Malformed
from gateway.oidc import ATTEMPT_LIFE_S, CALLBACK
from gateway.sessions import cookie_name, hash_of

#: A path of our own: never `//host`, never `/\host`, which browsers read as another site.
_PATH = re.compile(r"\A/(?:[!-.0-\[\]-~][!-\[\]-~]{0,511})?\Z")

_NO_STORE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


@get("/v1/login", opt={ACCESS: Access.PUBLIC}, status_code=303)
async def login(request: Request[Any, Any, Any]) -> Response[None]:
    """Begin a login; `return_to` is the path to come back to, `/` by default."""
    city = city_of(request)
    return_to = _parameters(request).get("return_to", "/")
    if not _PATH.match(return_to):
        raise Malformed([("", "return_to must be a path of this gateway")])
    address, sealed = await city.oidc.start(return_to)
    return sent_to(address, [cookie(city.settings, "login", sealed, ATTEMPT_LIFE_S)])


@get(CALLBACK, opt={ACCESS: Access.PUBLIC}, status_code=303)
async def callback(request: Request[Any, Any, Any]) -> Response[None]:
    """Finish a login: check the answer, enrol or recognise the citizen, begin a new session."""
    city = city_of(request)
    sealed = request.cookies.get(cookie_name(city.settings, "login"))
    if sealed is None:
        raise LoginRefused("no-attempt")
    told, attempt = await city.oidc.finish(_parameters(request), sealed)
    citizen = await city.citizens.enrol(told)
    session = await city.sessions.begin(
        citizen, instead_of=request.cookies.get(city.sessions.cookie)
    )
    if attempt.request is not None:
        await city.authorization.bind(attempt.request, citizen, hash_of(session))
    settings = city.settings
    cookies = [
        cookie(settings, "session", session, settings.session_ttl_s),
        cookie(settings, "login", "", 0),
    ]
    return sent_to(attempt.return_to, cookies)


@post("/v1/logout", opt={ACCESS: Access.CITIZEN}, status_code=204)
async def logout(request: Request[Any, Any, Any]) -> Response[None]:
    """End the session, here and in the database."""
    city = city_of(request)
    await city.sessions.end(request)
    return signed_out(city)


def signed_out(city: City) -> Response[None]:
    """The answer after which the browser has no session any more."""
    return Response(
        None, status_code=204, headers=_NO_STORE, cookies=[cookie(city.settings, "session", "", 0)]
    )


def _parameters(request: Request[Any, Any, Any]) -> dict[str, str]:
    return parse_form(request.scope["query_string"])


def sent_to(address: str, cookies: list[Cookie]) -> Response[None]:
    """A redirect that nothing keeps and that names no address it came from."""
    return Response(
        None, status_code=303, headers={**_NO_STORE, "location": address}, cookies=cookies
    )


HANDLERS: list[HTTPRouteHandler] = [login, callback, logout]
