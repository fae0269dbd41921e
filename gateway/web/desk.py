"""A shop's or device's code: scanned or typed, then who stands behind it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.desks import DESK_PATH
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.desks import view
from gateway.edge.problems import TYPE_PREFIX
from gateway.still import SIDE_MAX
from gateway.web.catalogue import text
from gateway.web.render import PAGE, language_for, page, problems

#: The side of the stills that the page sends, in pixels: enough for a code that fills half of one,
#: and little for a citizen's data plan.
STILL_SIDE = 384


@get("/app/scan", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def scan(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The camera, or a number to type."""
    # A number is typed here: nothing else can be what was not found.
    told = problems(request) | {
        TYPE_PREFIX + "not-found": text(language_for(request), "scan.unknown")
    }
    return page(request, "scan.html", side=min(STILL_SIDE, SIDE_MAX), problems=told)


@get(DESK_PATH + "{desk:str}", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def desk(request: Request[Any, Any, Any], desk: FromPath[str]) -> Response[bytes]:
    """Who stands there and how they keep their word; going on is the request for consent."""
    city = city_of(request)
    found = await city.desk_requests.behind(desk)
    return page(request, "desk.html", desk=view(city, found), token=desk)


HANDLERS: list[HTTPRouteHandler] = [scan, desk]
