"""Another city's request, read before it is decided; and the cities that recognise me."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.recognition_requests import ShownRecognitionRequest, mine_of, shown_request
from gateway.edge.recognitions import recognised
from gateway.recognition.authorization import PAGE as REQUEST_PAGE
from gateway.web.render import PAGE, asked, page
from gateway.web.visitor import own_citizens_only
from scoring import Band

PATH: Final = "/app/recognitions"


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
    if told.decline is None or told.city is None:
        return page(request, "recognition_ended.html", told=told, became=_became(told))
    return page(
        request,
        "recognition.html",
        told=told,
        asking=told.city,
        opened=[each for each in told.scenarios if each.open],
        closed=[each for each in told.scenarios if each.lacks is not None],
        bands=Band,
        here=f"{REQUEST_PAGE}{recognition_request}",
    )


def _became(told: ShownRecognitionRequest) -> str:
    """What became of a request, in the citizen's words: whether the city has fetched its answer is
    the cities' affair, and one that may ask no more, or whose code came twice, has none."""
    if told.status in ("allowed", "redeemed", "exchanged"):
        return "allowed"
    return told.status if told.status in ("declined", "expired") else "gone"


@get(
    PATH,
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    guards=[own_citizens_only],
    include_in_schema=False,
)
async def elsewhere(request: Request[Any, Any, Any]) -> Response[bytes]:
    """In other cities; `done` says what has just happened."""
    held = await recognised(request)
    return page(
        request,
        "recognitions.html",
        living=[each for each in held.recognitions if each.status == "active"],
        ended=[each for each in held.recognitions if each.status != "active"],
        reserved_fen=held.reserved_fen,
        withdrawn=asked(request).get("done") == "withdrawn",
    )


HANDLERS: list[HTTPRouteHandler] = [request_page, elsewhere]
