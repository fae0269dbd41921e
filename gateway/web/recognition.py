"""Another city's request, read before it is decided; and the cities that recognise me."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.recognitions import mine_of, recognised, shown_request
from gateway.recognition.authorization import PAGE as REQUEST_PAGE
from gateway.web.render import PAGE, asked, page

PATH: Final = "/app/recognitions"

#: Why a recognition ended, where the page has words of its own for it.
TOLD: Final = frozenset(
    {"replaced", "consent-gone", "consent-paused", "score-withdrawn", "band-fallen", "expired"}
)


@get(
    REQUEST_PAGE + "{recognition_request:uuid}",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    include_in_schema=False,
)
async def request_page(
    request: Request[Any, Any, Any], recognition_request: FromPath[UUID]
) -> Response[bytes]:
    """The request for which I have just signed in: one screen, decided once."""
    city = city_of(request)
    shown = await city.recognition_requests.shown(mine_of(request), recognition_request)
    told = shown_request(city, shown)
    template = "recognition.html" if told.decline and told.city else "recognition_ended.html"
    opened = [each for each in told.scenarios if each.open]
    return page(
        request,
        template,
        told=told,
        opened=opened,
        lacks=[(each, shown.lacks[each.id]) for each in told.scenarios if not each.open],
        here=f"{REQUEST_PAGE}{recognition_request}",
    )


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def elsewhere(request: Request[Any, Any, Any]) -> Response[bytes]:
    """In other cities; `done` says what has just happened."""
    held = await recognised(request)
    return page(
        request,
        "recognitions.html",
        living=[each for each in held.recognitions if each.status == "active"],
        ended=[each for each in held.recognitions if each.status != "active"],
        reserved_fen=held.reserved_fen,
        told_reasons=TOLD,
        withdrawn=asked(request).get("done") == "withdrawn",
    )


HANDLERS: list[HTTPRouteHandler] = [request_page, elsewhere]
