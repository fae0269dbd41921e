"""Another city's citizen arrives: to the home city, back, and in.

The token's own errors are those of RFC 6749 and RFC 9449, whichever door the home city's word comes
through; all else is a problem like any other.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from gateway.city import City
from gateway.claims import CityCode, ScenarioId, Thumbprint
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.cookies import cookie
from gateway.edge.form import parse_form
from gateway.edge.oauth import denied, granted
from gateway.errors import DependencyDown, OutcomeUnknown, Overloaded
from gateway.oauth.clients import Denied
from gateway.oauth.errors import OAuthCode
from gateway.oauth.jwt_bearer import visit_granted
from gateway.recognition.attempts import ATTEMPT_LIFE_S, Arrival, Wish
from gateway.recognition.home_city import CALLBACK
from gateway.recognition.presentation import Presented
from gateway.recognition.visit_sessions import SESSION_PATH
from gateway.sessions import check_origin, cookie_name

#: Where the visitor's page is, and where it goes on once the home city has said its word.
VISIT_PAGE: Final = "/app/visit"
ARRIVAL_PAGE: Final = "/app/visit/arrive"

_NO_STORE: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


class BeginVisit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A visit to begin: from which city, what for, by which key (RFC 7638, SHA-256)."""

    home: CityCode
    scenarios: Annotated[tuple[ScenarioId, ...], Meta(min_length=1, max_length=20)]
    jkt: Thumbprint


class VisitBegun(msgspec.Struct, frozen=True):
    """Where the browser goes next: the home city asks its citizen there."""

    location: str


@post("/v1/visits", opt={ACCESS: Access.PUBLIC}, status_code=201)
async def begin(
    request: Request[Any, Any, Any], data: JSONBody[BeginVisit]
) -> Response[VisitBegun]:
    """Begin a visit from this city's own page; the browser keeps the secret of it."""
    city = _from_own_page(request)
    city.visiting.count_beginning(_address(request))
    wish = Wish(data.home, tuple(dict.fromkeys(data.scenarios)), data.jkt)
    begun = await city.visiting.attempts.begin(wish)
    kept = cookie(city.settings, "visit", begun.secret, ATTEMPT_LIFE_S)
    return Response(VisitBegun(begun.location), status_code=201, headers=_NO_STORE, cookies=[kept])


@get(CALLBACK, opt={ACCESS: Access.PUBLIC}, status_code=303)
async def callback(request: Request[Any, Any, Any]) -> Response[None]:
    """Come back from the home city, in the browser that was sent there (RFC 6749, RFC 9207)."""
    city = city_of(request)
    city.visiting.count(_address(request))
    answer = parse_form(request.scope["query_string"])
    arrival = await city.visiting.attempts.come_back(_secret(city, request), answer)
    place = ARRIVAL_PAGE
    if arrival is not Arrival.ARRIVED:
        place = f"{VISIT_PAGE}?{urlencode({'refused': arrival.value})}"
    return Response(None, status_code=303, headers={**_NO_STORE, "location": place})


@post("/v1/visits/token", opt={ACCESS: Access.PUBLIC}, status_code=200)
async def token(request: Request[Any, Any, Any]) -> Response[Any]:
    """Present the home city's word that came with this browser, with a proof of the key made for
    it: a DPoP field whose `htu` is the token endpoint (RFC 9449)."""
    city = _from_own_page(request)
    # Without the cookie it is an attempt that nobody began, and refused and on record as one.
    secret = _secret(city, request) or ""
    presented = Presented(city.settings.city, secret, request.scope["headers"])
    try:
        answer = await city.visiting.acceptance.accept(presented)
    except (DependencyDown, Overloaded, OutcomeUnknown):
        return denied(Denied(OAuthCode.TEMPORARILY_UNAVAILABLE, "no-decision"), city)
    if isinstance(answer, Denied):
        return denied(answer, city)
    return granted(visit_granted(answer))


@post(SESSION_PATH, opt={ACCESS: Access.PUBLIC}, status_code=204)
async def session(request: Request[Any, Any, Any]) -> Response[None]:
    """Exchange the token, under the scheme DPoP with its proof, for a session."""
    city = _from_own_page(request)
    settings, sessions = city.settings, city.sessions
    begun = await city.visiting.sessions.begin(
        request.scope["headers"], instead_of=request.cookies.get(sessions.cookie)
    )
    cookies = [
        cookie(settings, "session", begun, settings.session_ttl_s),
        cookie(settings, "visit", "", 0),
    ]
    return Response(None, status_code=204, headers=_NO_STORE, cookies=cookies)


def _from_own_page(request: Request[Any, Any, Any]) -> City:
    """The city, for a step that only its own page takes, and that is counted.

    Raises:
        Forbidden: the request names another origin.
        TooManyRequests: too many such steps come from its address.
    """
    city = city_of(request)
    check_origin(request, city.settings.issuer)
    city.visiting.count(_address(request))
    return city


def _secret(city: City, request: Request[Any, Any, Any]) -> str | None:
    return request.cookies.get(cookie_name(city.settings, "visit"))


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else ""


HANDLERS: list[HTTPRouteHandler] = [begin, callback, token, session]
